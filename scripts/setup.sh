#!/usr/bin/env bash
# Makes a fresh Debian or Ubuntu machine ready: says which system packages are
# missing, installs them, fetches the weights of the voice activity detector.
#   scripts/setup.sh run     what building and running needs
#   scripts/setup.sh test    that, and what the tests need
# It does only what is left to do; when all is there it takes well under a second.
set -euo pipefail
cd "$(dirname "$0")/.."

goal=${1:-run}
say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- toolchains -------------------------------------------------------------
command -v go >/dev/null || die "Go is missing: install Go 1.26 or newer from https://go.dev/dl and run this again."
command -v node >/dev/null && command -v npm >/dev/null ||
  die "Node.js is missing: install Node.js 20 or newer with npm (https://nodejs.org) and run this again."
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
  die "Node.js $(node --version) is too old: install Node.js 20 or newer and run this again."

# --- system packages --------------------------------------------------------
packages=(gcc libc6-dev make pkg-config libopus-dev
  libpocketsphinx-dev libsphinxbase-dev pocketsphinx-en-us flite1-dev espeak-ng)
[ "$goal" = test ] && packages+=(chromium fonts-liberation sox)

if ! command -v dpkg-query >/dev/null; then
  say "this is no Debian or Ubuntu: make sure you have the equivalents of: ${packages[*]}"
else
  missing=()
  for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "missing system packages: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      command -v sudo >/dev/null ||
        die "cannot install them without root or sudo. As root, run: apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    say "installing them with ${as_root[*]:+sudo }apt-get ..."
    export DEBIAN_FRONTEND=noninteractive
    { "${as_root[@]}" apt-get update -qq &&
      "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2 ||
      die "apt-get could not install them. As root, run: apt-get install ${missing[*]}"
  fi
fi

# --- weights of the voice activity detector ----------------------------------
# Silero VAD v6 (MIT) as the npm package @ricky0123/vad-web carries it.
weights=models/silero_vad_v6.onnx
sum=1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3
check() { printf '%s  %s\n' "$sum" "$1" | sha256sum --check --status; }
if ! { [ -f "$weights" ] && check "$weights"; }; then
  say "fetching the weights of the voice activity detector (1.5 MB, npm) ..."
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  if (cd "$tmp" && npm pack --silent @ricky0123/vad-web@0.0.31 >/dev/null &&
    tar xzf ./*.tgz package/dist/silero_vad_v6.onnx) && check "$tmp/package/dist/silero_vad_v6.onnx"; then
    mkdir -p models
    mv "$tmp/package/dist/silero_vad_v6.onnx" "$weights"
  elif [ "$goal" = test ]; then
    die "could not fetch them; the tests need them. Check that npm reaches its registry."
  else
    say "could not fetch them; parley will use its simpler energy detector. 'parley doctor' will say so too."
  fi
fi
