# ./dev build [PRESET]

cmd_build() {
  source tools/dev/setup.sh
  cmd_setup
  build_preset "${1:-release}" "${@:2}"
  [ "${1:-release}" != release ] || build_web
}

# build_preset PRESET [TARGETS...]
build_preset() {
  local preset=$1 folder=build started=$SECONDS
  shift
  [ "$preset" = release ] || folder=build/$preset
  [ -f "$folder/build.ninja" ] || run_quiet "configure $preset" cmake --preset "$preset"
  say "  build $preset (ninja -C $folder)"
  if [ -t 2 ]; then ninja -C "$folder" -j "$(jobs_count)" "$@" >&2; else build_with_milestones "$folder" "$@"; fi
  say "  built in $((SECONDS - started))s"
}

# Without a terminal: a line every 10 %, and the whole text of failures.
build_with_milestones() {
  NINJA_STATUS='%p ' ninja -C "$1" -j "$(jobs_count)" "${@:2}" 2>&1 </dev/null |
    awk '/^ *[0-9]+% /{p=int($1/10); if (p!=last) {last=p; print "    " $1; fflush()} next} {print; fflush()}' >&2
}

# The contracts' artefacts, which the chain's tests and `up` deploy from.
build_contracts() {
  [ "$(uname -m)" = x86_64 ] || return 0
  [ contracts/out/Ledger.sol/Ledger.json -nt contracts/src/Ledger.sol ] && return 0
  (cd contracts && run_quiet "compile contracts" npx --no-install forge build)
}

# The pages: web/dist, built anew only when a source changed.
build_web() {
  have node || return 0
  local stamp=web/dist/.stamp now
  now=$(git ls-files -co --exclude-standard web | sort | xargs sha256sum 2>/dev/null | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && return 0
  (cd web && run_quiet "build pages" npm run build)
  echo "$now" >"$stamp"
}
