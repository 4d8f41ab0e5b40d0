# ./dev test [PRESET] [FILTER]: sets up, builds, runs every suite, ends with `N passed, N failed, N skipped`.

# Suites in the order of their speed. Each prints its own closing counts; a suite without them has failed.
SUITES=(lint image bench cpp web chain templates contracts e2e pages)

suite_lint() { source tools/dev/lint.sh; if cmd_lint; then echo "1 passed, 0 failed, 0 skipped"; else echo "0 passed, 1 failed, 0 skipped"; fi; }
suite_bench() {
  if python3 -B -m unittest discover -s tools/bench -p '*_test.py'; then echo "1 passed, 0 failed, 0 skipped"; else echo "0 passed, 1 failed, 0 skipped"; fi
}
suite_image() { python3 tools/image/image_test.py; }
suite_cpp() { python3 tools/run_gtests.py build "$FILTER"; }
suite_contracts() { contracts/check.sh; }
suite_web() { tools/dev/web_suite.sh; }
suite_chain() {
  if node tests/vectors/chain/cross_check.mjs; then echo "1 passed, 0 failed, 0 skipped"; else echo "0 passed, 1 failed, 0 skipped"; fi
}
suite_templates() {
  # The real model's own template is compared too when the model is in the cache.
  MODEL=$(python3 tools/fetch_model.py --offline 2>/dev/null) tests/templates/check.sh >build/templates.log 2>&1 && result=0 || result=$?
  tail -n 25 build/templates.log
  if [ "$result" = 0 ]; then echo "1 passed, 0 failed, 0 skipped"; else echo "0 passed, 1 failed, 0 skipped"; fi
}
# Without a filter its core, in two minutes; `./dev test pages` runs all of it.
suite_pages() { node tests/pages/main.mjs "${FILTER:---core}"; }
suite_e2e() { "$VENV/bin/python" -m tests.e2e "$FILTER"; }

cmd_test() {
  local preset=release
  FILTER=""
  case "${1:-}" in release|asan|tsan) preset=$1; shift ;; esac
  FILTER=${1:-}
  source tools/dev/build.sh
  source tools/dev/setup.sh
  cmd_setup
  build_preset "$preset"
  build_contracts
  if [ "$preset" != release ]; then
    TEETEE_PRESET=$preset python3 tools/run_gtests.py "build/$preset" "$FILTER"
    return
  fi
  build_web
  run_suites
}

# By its own name, or by the names of its tests where it can choose among them.
suite_is_chosen() {
  case "$1" in
    *"$FILTER"*|cpp) ;;
    e2e) "$VENV/bin/python" -m tests.e2e --list | grep -qF -- "$FILTER" ;;
    pages) node tests/pages/main.mjs --list | grep -qF -- "$FILTER" ;;
    *) false ;;
  esac
}

run_suites() {
  local suite passed=0 failed=0 skipped=0 log counts started
  log=$(mktemp)
  if [[ " ${SUITES[*]} " == *" ${FILTER:-none} "* ]]; then  # a suite's whole name means all of it, and it alone
    SUITES=("$FILTER")
    [ "$FILTER" = pages ] || FILTER=""
  fi
  for suite in "${SUITES[@]}"; do
    suite_is_chosen "$suite" || continue
    started=$SECONDS
    echo "== $suite"
    "suite_$suite" 2>&1 </dev/null | tee "$log" || true
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
    if [ -z "$counts" ]; then
      if [ -n "$FILTER" ] && [ "$suite" = cpp ]; then continue; fi
      echo "suite $suite ended without counts: it has failed"; failed=$((failed + 1)); continue
    fi
    read -r p _ f _ s _ <<<"$(tr -d ',' <<<"$counts")"
    passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + ${s:-0}))
    echo "-- $suite: $counts ($((SECONDS - started))s)"
  done
  rm -f "$log"
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
