#!/bin/sh
# Installs Debian's Chromium when there is no browser yet and this user may. Where it may not, the tests in a browser
# are skipped and named at the end of the run.
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null && exit 0
done
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if command -v apt-get >/dev/null && $sudo true 2>/dev/null; then
    echo "Installing Debian's Chromium ..."
    $sudo apt-get update -q >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
        chromium fonts-liberation >/dev/null && exit 0
fi
echo "Chromium could not be installed; the tests in a browser will be skipped." >&2
