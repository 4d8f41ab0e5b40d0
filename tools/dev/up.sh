# ./dev up: builds, then starts everything (tools/up/up.mjs).
cmd_up() {
  case " $* " in *" --help "*) node tools/up/up.mjs up --help; return ;; esac
  [ "$(uname -m)" = x86_64 ] || die "up needs the chain's tools (anvil, forge), which are packaged for x86-64 only; the engine runs here: build/bin/teetee run"
  source tools/dev/build.sh
  source tools/dev/setup.sh
  cmd_setup
  build_preset release
  build_contracts
  build_web
  exec node tools/up/up.mjs up "$@"
}
