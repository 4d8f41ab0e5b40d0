#!/usr/bin/env bash
# Checks formatting, runs the forge tests, compares the gas snapshots, runs the node tests. Needs `npm ci` once, no net.
# usage: ./check.sh [--mutants]     --mutants: also seed bugs that the tests must catch (20 minutes)
# The last line is `N passed, N failed, N skipped`, over all single tests; exit status 0 if none failed.
set -uo pipefail
cd "$(dirname "$0")"
forge=node_modules/.bin/forge
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

if [ ! -x "$forge" ]; then
  echo "contracts: run npm ci in contracts/ first" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

add() {
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# One check that is no test of a runner: a name, then the command.
check() {
  local name=$1
  shift
  if "$@" >"$log" 2>&1; then
    add 1 0 0
    echo "ok   $name"
  else
    add 0 1 0
    echo "FAIL $name"
    tail -n 60 "$log"
  fi
}

# Counts the tests of a forge run by its last line; a run without such a line (it did not compile) is one failure.
forge_tests() {
  local name=$1
  shift
  local status=0
  "$@" >"$log" 2>&1 || status=$?
  local line
  line=$(grep -oE '[0-9]+ tests? passed, [0-9]+ failed, [0-9]+ skipped' "$log" | tail -n 1)
  local counts=(0 1 0)
  [ -n "$line" ] && read -ra counts <<<"$(tr -cs '0-9' ' ' <<<"$line")"
  [ "$status" != 0 ] && [ "${counts[1]}" = 0 ] && counts[1]=1
  add "${counts[@]}"
  if [ "$status" = 0 ]; then echo "ok   $name: ${counts[0]} tests"; else
    echo "FAIL $name"
    grep -E '^\[FAIL|^Error|Warning|^ *-->|snapshot' "$log" | head -n 40
  fi
}

node_tests() {
  local status=0
  node --test --test-reporter=tap test/*.test.mjs >"$log" 2>&1 || status=$?
  local counts=()
  for what in pass fail skipped; do
    counts+=("$(grep -oE "^# $what [0-9]+" "$log" | grep -oE '[0-9]+$' || echo 0)")
  done
  [ "$status" != 0 ] && [ "${counts[1]}" = 0 ] && counts[1]=1
  add "${counts[@]}"
  if [ "$status" = 0 ]; then echo "ok   node tests: ${counts[0]} tests"; else
    echo "FAIL node tests"
    grep -vE '^ok|duration_ms' "$log" | head -n 80
  fi
}

check "formatting" "$forge" fmt --check
forge_tests "forge tests" "$forge" test
forge_tests "gas snapshots" env FOUNDRY_PROFILE=gas FORGE_SNAPSHOT_CHECK=true "$forge" test
node_tests
if [ "${1:-}" = --mutants ]; then check "mutants" ./mutants.sh; fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
