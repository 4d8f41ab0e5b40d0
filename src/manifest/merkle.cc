#include <algorithm>
#include <bit>
#include <span>

#include "base/check.h"
#include "crypto/hash.h"
#include "manifest/manifest.h"

namespace teetee::manifest {
namespace {

// Labels keep leaves, nodes and every other hash of the project apart.
constexpr std::string_view kLeafLabel = "teetee tensor leaf v1\n";
constexpr std::string_view kNodeLabel = "teetee tensor node v1\n";

Hash32 Node(const Hash32& left, const Hash32& right) {
  return crypto::Sha256Stream().Update(kNodeLabel).Update(left).Update(right).Finish();
}

Hash32 Root(std::span<const Hash32> leaves) {
  if (leaves.size() == 1) return leaves[0];
  const size_t left =
      std::bit_floor(leaves.size() - 1);  // the largest power of two below the number of leaves
  return Node(Root(leaves.first(left)), Root(leaves.subspan(left)));
}

}  // namespace

Hash32 TensorLeaf(const Tensor& tensor) {
  ByteWriter out;
  out.Raw(kLeafLabel);
  out.U32Le(static_cast<uint32_t>(tensor.name.size())).Raw(tensor.name);
  out.U32Le(static_cast<uint32_t>(tensor.dtype.size())).Raw(tensor.dtype);
  out.U32Le(static_cast<uint32_t>(tensor.dims.size()));
  for (uint64_t dim : tensor.dims) out.U64Le(dim);
  out.U64Le(tensor.bytes).Raw(tensor.sha256);
  return crypto::Sha256(out.bytes());
}

Hash32 WeightsRoot(std::vector<Tensor> tensors) {
  TT_CHECK(!tensors.empty());
  std::sort(tensors.begin(), tensors.end(),
            [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  std::vector<Hash32> leaves;
  for (const Tensor& tensor : tensors) leaves.push_back(TensorLeaf(tensor));
  return Root(leaves);
}

Hash32 ManifestHash(ByteView document) { return crypto::Sha256(document); }

}  // namespace teetee::manifest
