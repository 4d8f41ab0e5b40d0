# ./dev clean [--all]
cmd_clean() {
  rm -rf build contracts/out contracts/cache
  if [ "${1:-}" = --all ]; then
    [ -f .teetee/up.json ] && { source tools/dev/down.sh; cmd_down || true; }
    rm -rf .venv .teetee
    find . -name node_modules -type d -prune -exec rm -rf {} +
    say "removed packages and state of this tree; downloads stay in $CACHE (remove that folder by hand to free it)"
  fi
}
