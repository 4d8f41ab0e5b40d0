#include "pipeline/prefix_keys.h"

#include <algorithm>

#include "crypto/hash.h"
#include "model/kv_cache.h"

namespace teetee::pipeline {
namespace {

constexpr std::string_view kLabel = "teetee prefix v1";
constexpr uint32_t kProfile = 1;  // docs/formats/numerics.md

PrefixKey Head(const Hash32& hash) {
  PrefixKey out;
  std::copy_n(hash.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

PrefixKeys::PrefixKeys(const Secret<32>& secret, std::string_view tenant, const Hash32& model, const Hash32& plan)
    : secret_(secret) {
  ByteWriter writer;
  writer.Raw(kLabel).U32Le(kProfile).U32Le(static_cast<uint32_t>(tenant.size())).Raw(tenant).Raw(model).Raw(plan);
  root_ = crypto::HmacSha256(secret_.view(), writer.bytes());
}

std::vector<PrefixKey> PrefixKeys::Of(std::span<const uint32_t> ids) const {
  const size_t pages = std::min(ids.size() / model::kPagePositions, kMaxPrefixKeys);
  std::vector<PrefixKey> out;
  Hash32 link = root_;
  for (size_t page = 0; page < pages; ++page) {
    ByteWriter writer;
    writer.Raw(link);
    for (uint32_t id : ids.subspan(page * model::kPagePositions, model::kPagePositions)) writer.U32Le(id);
    link = crypto::HmacSha256(secret_.view(), writer.bytes());
    out.push_back(Head(link));
  }
  return out;
}

PrefixKey KeyOfHead(const ByteArray<20>& head, const PrefixKey& key) {
  return Head(crypto::Sha256(ByteWriter().Raw(head).Raw(key).bytes()));
}

}  // namespace teetee::pipeline
