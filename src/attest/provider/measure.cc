#include "attest/provider/measure.h"

#include "base/file.h"
#include "crypto/hash.h"

namespace teetee::attest {
namespace {
constexpr size_t kMaxExecutable = 1u << 30;  // bytes
}

Result<Hash48> MeasureExecutable(const std::string& path) {
  Bytes program = TT_TRY(ReadFile(path, kMaxExecutable));
  return crypto::Sha384(program);
}

}  // namespace teetee::attest
