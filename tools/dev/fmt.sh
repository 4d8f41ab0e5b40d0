# ./dev fmt: formats C++ and Solidity in place.
cpp_files() { git ls-files 'src/*.h' 'src/*.cc' 'fuzz/*.cc' 'bench/*.cc' 'tests/*.cc'; }
cmd_fmt() {
  cpp_files | xargs clang-format-14 -i
  [ -x contracts/node_modules/.bin/forge ] && (cd contracts && npx forge fmt)
  say "formatted"
}
