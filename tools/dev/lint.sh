# ./dev lint: layers, compile flags, sizes, secrets and registry addresses. Prints one line per check.
cmd_lint() {
  local failed=0
  python3 tools/check_layers.py || failed=1
  if [ -f build/compile_commands.json ] && [ -f tools/check_flags.py ]; then python3 tools/check_flags.py || failed=1; fi
  python3 tools/check_tree.py || failed=1
  return $failed
}
