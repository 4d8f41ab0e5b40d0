# ./dev fuzz NAME|all SECONDS: builds with clang's libFuzzer and runs; findings are kept in build/fuzz/findings/.
cmd_fuzz() {
  [ $# -ge 2 ] || die "usage: ./dev fuzz NAME|all SECONDS   (names: $(fuzz_names | tr '\n' ' '))"
  local names=$1 seconds=$2 name failed=0 passed=0
  if [ "$names" = all ]; then names=$(fuzz_names); fi
  for name in $names; do fuzz_names | grep -qx "$name" || die "no fuzz target '$name'; there are: all $(fuzz_names | tr '\n' ' ')"; done
  [[ "$seconds" =~ ^[1-9][0-9]*$ ]] || die "SECONDS: a whole number above 0, not '$seconds'"
  source tools/dev/build.sh
  source tools/dev/setup.sh
  cmd_setup
  # shellcheck disable=SC2046
  build_preset fuzz $(for name in $names; do echo "fuzz_$name"; done)
  for name in $names; do
    if run_quiet "fuzz $name ${seconds}s" fuzz_one "$name" "$seconds"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}
fuzz_names() { sed -n 's/^\([a-z_0-9]*\):.*/\1/p' fuzz/targets.txt; }
fuzz_one() {
  mkdir -p "build/fuzz/corpora/$1" build/fuzz/findings
  local seeds=()
  [ -d "fuzz/corpora/$1" ] && seeds=("fuzz/corpora/$1")
  "build/fuzz/bin/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=4096 -artifact_prefix="build/fuzz/findings/$1-" "build/fuzz/corpora/$1" "${seeds[@]}"
}
