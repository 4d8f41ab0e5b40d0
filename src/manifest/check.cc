// The bounds and relations of a manifest.
#include <algorithm>
#include <charconv>
#include <set>

#include "manifest/manifest.h"

namespace teetee::manifest {
namespace {

constexpr uint64_t kMaxInteger = (uint64_t{1} << 53) - 1;  // what RFC 8785's numbers carry exactly

Error Bad(std::string what) {
  return Error(Code::kInvalidArgument, "manifest: " + std::move(what));
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= Limits::kMaxTextBytes && IsPrintable(text);
}

bool IsFileName(std::string_view text) {
  return IsName(text) && text[0] != '.' && text.find('/') == text.npos &&
         text.find('\\') == text.npos;
}

Result<uint64_t> LayersOf(const Manifest& manifest) {
  auto it = manifest.config.find("n_layers");
  if (it == manifest.config.end()) return Bad("config has no n_layers");
  const std::string& text = it->second;
  uint64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || text != std::to_string(n) ||
      n == 0 || n > Limits::kMaxLayers) {
    return Bad("config n_layers is not 1 to " + std::to_string(Limits::kMaxLayers));
  }
  return n;
}

Status CheckConfig(const Manifest& manifest) {
  if (manifest.config.size() > Limits::kMaxConfigEntries) return Bad("too many entries in config");
  for (const auto& [key, value] : manifest.config) {
    if (!IsName(key) || value.size() > Limits::kMaxTextBytes || !IsPrintable(value)) {
      return Bad("config holds a key or value that is not printable ASCII of at most 256 bytes");
    }
  }
  return Ok{};
}

Status CheckTensor(const Tensor& tensor) {
  if (!IsName(tensor.name)) return Bad("a tensor's name is not printable ASCII of 1 to 256 bytes");
  if (!IsName(tensor.dtype)) return Bad("tensor " + tensor.name + ": bad dtype");
  if (tensor.dims.empty() || tensor.dims.size() > 4)
    return Bad("tensor " + tensor.name + ": not 1 to 4 dims");
  for (uint64_t dim : tensor.dims) {
    if (dim == 0 || dim > kMaxInteger)
      return Bad("tensor " + tensor.name + ": dimension out of range");
  }
  if (tensor.bytes == 0 || tensor.bytes > kMaxInteger)
    return Bad("tensor " + tensor.name + ": bytes out of range");
  return Ok{};
}

Status CheckTensors(const Manifest& manifest) {
  const auto& tensors = manifest.tensors;
  if (tensors.empty() || tensors.size() > Limits::kMaxTensors) {
    return Bad(std::to_string(tensors.size()) + " tensors, wanted 1 to " +
               std::to_string(Limits::kMaxTensors));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    TT_RETURN_IF_ERROR(CheckTensor(tensors[i]));
    if (i > 0 && tensors[i - 1].name >= tensors[i].name) {
      return Bad("tensor " + tensors[i].name + ": not sorted, or twice");
    }
  }
  if (WeightsRoot(tensors) != manifest.tensors_root)
    return Bad("tensors_root is not the root of tensors");
  return Ok{};
}

Status CheckKats(const Slot& slot, const std::string& where) {
  if (slot.kats.size() > Limits::kMaxKatsPerSlot) return Bad(where + ": too many known answers");
  for (const KnownAnswer& kat : slot.kats) {
    if (kat.n_tokens == 0 || kat.n_tokens > Limits::kMaxKatTokens)
      return Bad(where + ": n_tokens out of range");
  }
  return Ok{};
}

Status CheckSlotTensors(const Manifest& manifest, const Slot& slot, const std::string& where) {
  if (slot.tensors.empty()) return Bad(where + ": no tensors");
  std::vector<Tensor> own;
  for (size_t i = 0; i < slot.tensors.size(); ++i) {
    if (i > 0 && slot.tensors[i - 1] >= slot.tensors[i])
      return Bad(where + ": tensors not sorted, or one twice");
    auto tensor = manifest.FindTensor(slot.tensors[i]);
    if (!tensor) return Bad(where + ": names a tensor that the model has not");
    own.push_back(**tensor);
  }
  if (WeightsRoot(std::move(own)) != slot.weights_root)
    return Bad(where + ": weights_root is not the root of its tensors");
  return Ok{};
}

Status CheckSlot(const Manifest& manifest, size_t index, uint64_t next_block) {
  const Slot& slot = manifest.slots[index];
  const std::string where = "slot " + std::to_string(index);
  if (slot.first_block != next_block)
    return Bad(where + ": does not begin where the slot before it ends");
  if (slot.block_count == 0 || slot.block_count > Limits::kMaxLayers)
    return Bad(where + ": block_count out of range");
  if (slot.share != slot.block_count) return Bad(where + ": share is not its number of blocks");
  if (!IsFileName(slot.file)) return Bad(where + ": file is not a plain file name");
  if (slot.file_bytes == 0 || slot.file_bytes > kMaxInteger)
    return Bad(where + ": file_bytes out of range");
  TT_RETURN_IF_ERROR(CheckKats(slot, where));
  return CheckSlotTensors(manifest, slot, where);
}

Status CheckSlots(const Manifest& manifest) {
  const uint64_t n_layers = TT_TRY(LayersOf(manifest));
  if (manifest.slots.empty() || manifest.slots.size() > Limits::kMaxSlots) {
    return Bad(std::to_string(manifest.slots.size()) + " slots, wanted 1 to " +
               std::to_string(Limits::kMaxSlots));
  }
  uint64_t next_block = 0;
  std::set<std::string_view> placed, files;
  for (size_t i = 0; i < manifest.slots.size(); ++i) {
    const Slot& slot = manifest.slots[i];
    TT_RETURN_IF_ERROR(CheckSlot(manifest, i, next_block));
    next_block += slot.block_count;
    placed.insert(slot.tensors.begin(), slot.tensors.end());
    if (!files.insert(slot.file).second) return Bad("two slots have the same file");
  }
  if (next_block != n_layers) return Bad("the slots do not cover all blocks");
  if (placed.size() != manifest.tensors.size()) return Bad("a tensor is in no slot");
  return Ok{};
}

}  // namespace

Status Manifest::Check() const {
  if (system.size() > Limits::kMaxSystemBytes) return Bad("the system message is too long");
  if (name.size() > Limits::kMaxTextBytes || !IsPrintable(name))
    return Bad("name is not printable ASCII");
  TT_RETURN_IF_ERROR(CheckConfig(*this));
  TT_RETURN_IF_ERROR(CheckTensors(*this));
  return CheckSlots(*this);
}

Result<const Tensor*> Manifest::FindTensor(std::string_view wanted) const {
  auto it = std::lower_bound(tensors.begin(), tensors.end(), wanted,
                             [](const Tensor& t, std::string_view n) { return t.name < n; });
  if (it == tensors.end() || it->name != wanted) {
    return Error(Code::kNotFound, "manifest: no such tensor");
  }
  return &*it;
}

}  // namespace teetee::manifest
