#!/usr/bin/env bash
# Compares the chat template engine with @huggingface/jinja: renders all cases with both and compares byte by byte.
# usage: tests/templates/check.sh   (after the build; MODEL=FILE.gguf adds the template of a model file)
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
shared=${TEETEE_SHARED:-$root/../shared}
build=${TEETEE_BUILD:-$root/build}
arguments=()
if [ -d "$shared/chat-templates" ]; then
  arguments+=(--templates "$shared/chat-templates")
elif [ "${TEETEE_REQUIRE_SHARED:-0}" = 1 ]; then
  echo "templates: $shared/chat-templates is missing" >&2
  exit 1
else
  echo "templates: skipped the real templates, $shared/chat-templates is missing"
fi
if [ -n "${MODEL:-}" ]; then arguments+=(--gguf "$MODEL"); fi
[ -d node_modules/@huggingface/jinja ] || npm ci --silent
expected=$(mktemp)
trap 'rm -f "$expected"' EXIT
node render.mjs "${arguments[@]}" > "$expected"
cd "$root"
TEETEE_TEMPLATE_EXPECTED=$expected "$build/bin/model_test" --gtest_filter='ChatTemplateReference.*'
