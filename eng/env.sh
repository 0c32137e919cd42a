# Sourced, from the root of the repository, by dev and by what it starts.
if [[ $OSTYPE != linux* ]]; then
    echo "Holdfast builds and runs on Linux only, and this is $OSTYPE: use a Debian container, or WSL." >&2
    exit 1
fi

export ROOT=$PWD
export PUBLISH=$ROOT/artifacts/publish
case $(uname -m) in
    aarch64|arm64) export RID=linux-arm64 ;;
    *) export RID=linux-x64 ;;
esac

# An SDK that is only on PATH, as the install script leaves it, is unknown to the published programs unless we name it.
if [ -z "${DOTNET_ROOT:-}" ] && command -v dotnet >/dev/null; then
    DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
    export DOTNET_ROOT
fi

# English, because eng/test.sh reads the numbers out of the test runner's summary.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en TESTINGPLATFORM_UI_LANGUAGE=en
