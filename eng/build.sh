#!/usr/bin/env bash
# Publishes server and supervisor, side by side, to a folder named after the content of their sources, and points
# artifacts/publish/holdfast at it. Folders never change once they are there: a supervisor may run for weeks and loads its
# assemblies as it needs them, so a build must not replace them under it.
set -euo pipefail
source eng/env.sh

name=holdfast
properties=()
for option in "$@"; do
    case $option in
        --crash) name=holdfast-crash; properties+=(-p:CrashPoints=true) ;;
        *) echo "eng/build.sh: no option '$option'" >&2; exit 2 ;;
    esac
done

mkdir -p "$PUBLISH"
exec {lock}>"$PUBLISH/.lock"
flock "$lock"

hash=$({ compgen -G "$DOTNET_ROOT/sdk/10.*"; find src Directory.* global.json .editorconfig eng/BannedSymbols.txt eng/build.sh -type f -print0 \
    | sort -z | xargs -0 sha256sum; } | sha256sum)
folder=$name-${hash:0:12}
if [ "$(readlink "$PUBLISH/$name" || true)" = "$folder" ] && [ -x "$PUBLISH/$folder/holdfast" ]; then
    exit 0
fi

echo "Building $name"
rm -rf "$PUBLISH/$folder" "$PUBLISH/$folder.part"
for project in Holdfast.Server Holdfast.Supervisor; do
    # Each variant has intermediate files of its own, so that the two never mix.
    dotnet publish "src/$project" -v q -c Release -r "$RID" --self-contained false -p:PublishReadyToRun=true "${properties[@]}" \
        ${CI:+-p:RestoreLockedMode=true} --artifacts-path "$ROOT/artifacts/build/$name" -o "$PUBLISH/$folder.part" {lock}>&-
done
mv -T "$PUBLISH/$folder.part" "$PUBLISH/$folder"
[ -L "$PUBLISH/$name" ] || rm -rf "${PUBLISH:?}/$name"
ln -sfn "$folder" "$PUBLISH/$name.new"
mv -T "$PUBLISH/$name.new" "$PUBLISH/$name"

# Older folders go, unless something still runs out of them.
running=$(readlink /proc/[0-9]*/exe 2>/dev/null || true)
for old in "$PUBLISH/$name"-????????????; do
    [ "$old" = "$PUBLISH/$folder" ] || [[ $running == *"$old/"* ]] || rm -rf "$old"
done
