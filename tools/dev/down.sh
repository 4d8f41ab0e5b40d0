# ./dev down: stops what `up` started and leaves nothing running.
cmd_down() {
  have node || { source tools/dev/setup.sh; setup_node; }
  node tools/up/up.mjs down "$@"
}
