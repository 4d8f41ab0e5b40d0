# Shared by the commands of ./dev. Sourced with the repository root as working directory.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/teetee
VENV=$ROOT/.venv
export PATH="$VENV/bin:$PATH"
export PYTHONDONTWRITEBYTECODE=1

die() { printf '%s\n' "dev: $*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
jobs_count() { nproc 2>/dev/null || echo 2; }

# run_quiet LABEL COMMAND...: shows one line; the whole output only when it fails.
run_quiet() {
  local label=$1 log started=$SECONDS
  shift
  log=$(mktemp)
  printf '  %s ...' "$label" >&2
  if "$@" >"$log" 2>&1 </dev/null; then
    printf ' %ss\n' "$((SECONDS - started))" >&2
    rm -f "$log"
  else
    printf ' failed\n' >&2
    tail -n 60 "$log" >&2
    rm -f "$log"
    return 1
  fi
}
