#!/bin/sh
# Installs the Debian/Ubuntu packages named as arguments if they are missing; says what to type where it may not.
missing=""
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

command="apt-get update && apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null; then
  echo "These tools are missing, and this is not a Debian or Ubuntu machine:$missing"
  echo "Next step: install their counterparts, then run make again."
  exit 1
fi
if [ "$(id -u)" = 0 ]; then run="sh -c"; elif sudo -n true 2>/dev/null; then run="sudo sh -c"; else
  echo "These packages are missing:$missing"
  echo "Next step: sudo sh -c '$command'"
  exit 1
fi
echo "Installing$missing"
# On a machine that has just booted, another package manager may hold the lock for a while.
exec $run "export DEBIAN_FRONTEND=noninteractive; $(printf '%s' "$command" | sed 's/apt-get /apt-get -q -o DPkg::Lock::Timeout=120 /g') >/dev/null"
