#!/usr/bin/env bash
# The suite `web`: type check, lint, size of the first load, unit tests. Closes with the counts that tools/dev/test.sh reads.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../web"
passed=0 failed=0 skipped=0
export TEETEE_REQUIRE_BUILD=1  # `./dev test` has built what the verifiers are compared with

step() {
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)); else echo "web: $name failed"; failed=$((failed + 1)); fi
}

# `vitest` also writes its counts as JSON; a run that wrote none has failed.
unit_tests() {
  local report=node_modules/.cache/vitest.json
  mkdir -p node_modules/.cache
  rm -f "$report"
  npx --no-install vitest run --reporter=dot --reporter=json --outputFile.json="$report"
  [ -f "$report" ] || { echo "web: unit tests ended without a report"; failed=$((failed + 1)); return; }
  read -r p f s <<<"$(node -e 'const r=JSON.parse(require("fs").readFileSync(process.argv[1],"utf8"));
    const files=r.testResults.filter(t=>t.status==="failed"&&t.assertionResults.length===0).length;
    console.log(r.numPassedTests, r.numFailedTests+files, r.numPendingTests)' "$report")"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

step "type check" npm run -s typecheck
step "lint" npm run -s lint
step "first load" npm run -s budget
unit_tests
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
