// What a reverted call says: the contracts' custom errors, Solidity's Error(string) and
// Panic(uint256), in plain words. Pure, thread-safe.
#pragma once

#include <string>

#include "base/bytes.h"

namespace teetee::chain {

struct Revert {
  std::string name;     // "WrongSequence", "Error", "Panic", or "" for something unknown
  std::string meaning;  // for people: what happened and what it concerns
};
// Never fails: foreign or malformed data is "an unknown error".
Revert ExplainRevert(ByteView data);

}  // namespace teetee::chain
