# ./dev doctor: what this machine has, what is missing, and what to do about it. Changes nothing.
line() { printf '  %-22s %s\n' "$1" "$2"; }
cmd_doctor() {
  source tools/dev/setup.sh
  echo "machine"
  line system "$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME" || uname -s), $(uname -m)"
  line cores "$(nproc)"
  line memory "$(awk '/MemTotal/{printf "%.1f GiB", $2/1048576}' /proc/meminfo)"
  line disk "$(df -h --output=avail . | tail -1 | tr -d ' ') free here"
  if grep -qw amx_int8 /proc/cpuinfo; then line instructions "AVX-512 VNNI, AMX (with --isa amx)"; elif grep -qw avx512_vnni /proc/cpuinfo; then line instructions "AVX-512 VNNI"; elif grep -qw avx2 /proc/cpuinfo; then line instructions "AVX2"; else line instructions "no AVX2: the scalar path runs, slowly"; fi
  echo "tools"
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  line "Debian packages" "${missing:+missing: $missing(./dev setup installs them)}${missing:-all there}"
  line python "$([ -x "$VENV/bin/python" ] && "$VENV/bin/python" --version || echo 'no .venv yet: ./dev setup')"
  line node "$(node_is_new_enough && node --version || echo 'older than 20 or absent: ./dev setup brings one into .venv')"
  line anvil "$(contracts/node_modules/.bin/anvil --version 2>/dev/null | head -1 || echo 'not installed: ./dev setup')"
  echo "files"
  line cache "$CACHE ($(du -sh "$CACHE" 2>/dev/null | cut -f1 || echo empty))"
  line shared "$([ -d "${TEETEE_SHARED:-../shared}" ] && echo "${TEETEE_SHARED:-../shared}" || echo 'not there: tests that need it are skipped aloud')"
  line build "$([ -x build/bin/teetee ] && build/bin/teetee --version || echo 'not built: ./dev build')"
  line running "$([ -f .teetee/up.json ] && echo '.teetee/up.json says: see ./dev up' || echo nothing)"
}
