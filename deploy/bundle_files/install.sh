#!/bin/sh
# Memasang Lontar tanpa internet:  sh install.sh
cd "$(dirname "$0")" || exit 1
for python in @COMMANDS@ python3; do
  if "$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "@PYTHONS@".split())' 2>/dev/null; then
    exec "$python" pasang.py "$@"
  fi
done
echo "Lontar memerlukan Python @PYTHONS@, dan di laptop ini tidak ada. Lihat BACA-DULU.txt." >&2
exit 2
