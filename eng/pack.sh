#!/usr/bin/env bash
# Packs the published program into a folder that carries its version: an upgrade lies beside what still runs.
set -euo pipefail
source eng/env.sh

version=$(sed -nE 's#.*<Version>(.*)</Version>.*#\1#p' Directory.Build.props)
name=holdfast-$version-$RID
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
cp -r "$PUBLISH/holdfast/" "$files/$name"
cp LICENSE README.md CHANGELOG.md "$files/$name/"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" -C "$files" -czf "artifacts/$name.tar.gz" "$name"
echo "artifacts/$name.tar.gz"
