#!/usr/bin/env bash
# Seeds one bug at a time; each must make a test fail. Works on a copy. Takes half a minute to a minute a bug.
# usage: ./mutants.sh [PATTERN]   only the mutants whose line matches
set -uo pipefail
cd "$(dirname "$0")"
here=$PWD
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r src test tools foundry.toml package.json "$copy"
ln -s "$here/node_modules" "$copy/node_modules"
cd "$copy"
cp -r src original
only=${1:-.}
caught=0
bad=0

# file | sed expression
while IFS='|' read -r file edit; do
  rm -rf src && cp -r original src
  sed -i "$edit" "src/$file"
  if cmp -s "src/$file" "original/$file"; then
    echo "NO EFFECT: $edit"
    bad=$((bad + 1))
    continue
  fi
  if out=$(node_modules/.bin/forge test --fail-fast 2>&1); then
    echo "SURVIVED: $edit"
    bad=$((bad + 1))
  elif grep -q 'Compiler run failed' <<<"$out"; then
    echo "DOES NOT COMPILE: $edit"
    bad=$((bad + 1))
  else
    echo "caught: $edit"
    echo "        by $(grep -m1 -oE '\[FAIL.*' <<<"$out" | sed 's/counterexample.*]/]/' | cut -c1-120)"
    caught=$((caught + 1))
  fi
done < <(grep -E -- "$only" <<'M'
Ledger.sol|s/uint256 rest = t.funded - t.spent;/uint256 rest = t.funded;/
Ledger.sol|s/record\[id\] = REFUNDED;//
Ledger.sol|s/record\[id\] = hash;//
Ledger.sol|s/spent, most - sum);/spent, most);/
Ledger.sol|s/p.free\[i\] = worked - a.used;/p.free[i] = worked;/
Ledger.sol|s/_prefixPart(pay, from, to, all), used)/pay * p.free[i] \/ all, used)/
Ledger.sol|s/isBatch ? _prefixPart(sum, from, to, all) : 0/isBatch ? sum * p.free[i] \/ all : 0/
Ledger.sol|s/isBatch ? _prefixPart/true ? _prefixPart/
Ledger.sol|s/if (i != 0 \&\& who <= p.who\[i - 1\]) revert BadOrder();//
Ledger.sol|s/for (uint256 s = 1; s < p.freeOfSlot.length; ++s)/for (uint256 s = 2; s < p.freeOfSlot.length; ++s)/
Ledger.sol|s/ || t.spent != used) revert WrongTab/) revert WrongTab/
Ledger.sol|s/(address(0), epoch + 1, 0)/(address(0), epoch, 0)/
Ledger.sol|s/if (b.seq <= lastSeq\[line\])/if (b.seq < lastSeq[line])/
Ledger.sol|s/return recovered != address(0) \&\& recovered == signer;/return recovered == signer;/
Ledger.sol|s/if (c.used > t.funded) return Skip.OverFunded;//
Ledger.sol|s/if (!registry.isAdmitted(model, w.slot, w.key)) return Skip.NotAdmitted;//
Ledger.sol|s/abi.encode(WORK_TYPEHASH, line, w.slot/abi.encode(WORK_TYPEHASH, bytes32(0), w.slot/
Ledger.sol|s/account\[line\]\[key\].owed = 0;//
Ledger.sol|s/tokens_\[s\] >> 128 < r.tokensIn || //
Registry.sol|s/m.manifest, m.lease, weights/m.manifest, weights/
Registry.sol|s/ \&\& n.slot == slot \&\& / \&\& /
Registry.sol|s/if (recent == 0) revert StaleBlock();.*//
Registry.sol|s/carriesOn ? o.until : n.until/o.until/
verifiers/AllowlistVerifier.sol|s/signer <= last || //
verifiers/AllowlistVerifier.sol|s/if (expires < block.timestamp) revert Expired();//
M
)
echo "$caught caught, $bad not"
[ "$bad" = 0 ]
