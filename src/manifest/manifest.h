// The manifest: the facts of a model that everybody must agree on before a prompt is sent
// (configuration, tokenizer, every tensor's hash, the cut into slots, known answers, numeric
// profile). It is canonical JSON (RFC 8785); its SHA-256 stands on chain. Byte by byte:
// docs/formats/manifest.md. Value types; knows no model code: names and numbers come in plain.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace teetee::manifest {

inline constexpr uint64_t kVersion = 1;  // of the document's layout
inline constexpr uint64_t kProfile = 1;  // docs/formats/numerics.md

struct Limits {
  static constexpr size_t kMaxBytes = 32u << 20;
  static constexpr size_t kMaxTensors = 1u << 16;
  static constexpr size_t kMaxSlots = 256;
  static constexpr size_t kMaxLayers = 512;
  static constexpr size_t kMaxConfigEntries = 64;
  static constexpr size_t kMaxKatsPerSlot = 16;
  static constexpr size_t kMaxTextBytes = 256;  // of any name
  static constexpr size_t kMaxSystemBytes = 4096;
  static constexpr uint64_t kMaxKatTokens = 4096;
};

struct Tensor {
  std::string name;
  std::string dtype;           // "Q8_0", as in ops/dtype.h
  std::vector<uint64_t> dims;  // GGUF order: contiguous first; 1 to 4
  uint64_t bytes = 0;
  Hash32 sha256{};  // of the tensor's bytes as they stand in the file
  bool operator==(const Tensor&) const = default;
};

// A known answer: a slot that computes correctly gives exactly this hash for the inputs made from
// seed.
struct KnownAnswer {
  uint64_t seed = 0;
  uint64_t n_tokens = 0;  // positions 0 .. n_tokens - 1 of one sequence
  Hash32 output_sha256{};
  bool operator==(const KnownAnswer&) const = default;
};

struct Slot {
  uint64_t first_block = 0;
  uint64_t block_count = 0;
  uint64_t share = 0;                // of the fee: the number of blocks
  std::vector<std::string> tensors;  // names, sorted by bytes
  Hash32 weights_root{};             // WeightsRoot of those tensors
  std::string file;                  // a plain file name
  uint64_t file_bytes = 0;
  Hash32 file_sha256{};
  std::vector<KnownAnswer> kats;  // may be empty
  bool operator==(const Slot&) const = default;
};

struct Manifest {
  std::string name;  // printable ASCII, may be empty
  std::string system;  // UTF-8; message that stands first in a conversation that brings none; may be empty
  // Every value a string: decimal integers, f32 as "0x" and 8 hex digits of its bits, words.
  // "n_layers" must be there.
  std::map<std::string, std::string> config;
  Hash32 tokenizer_sha256{};    // of model::CanonicalTokenizerBytes
  std::vector<Tensor> tensors;  // sorted by name, of the whole model, whatever the cut
  Hash32 tensors_root{};        // WeightsRoot of all: does not depend on the cut
  std::vector<Slot> slots;
  bool operator==(const Manifest&) const = default;

  // kInvalidArgument (kResourceExhausted for sizes): not canonical JSON, a field missing, unknown
  // or out of bounds, or a relation broken: slots contiguous from block 0 to n_layers, every tensor
  // in at least one slot and in none that the model lacks, roots as recomputed.
  static Result<Manifest> Parse(ByteView bytes);
  // The document. kInvalidArgument: not what Parse accepts.
  Result<Bytes> Serialise() const;
  // The relations and bounds that Parse promises.
  Status Check() const;
  // kNotFound. Valid while this lives unchanged.
  Result<const Tensor*> FindTensor(std::string_view name) const;
};

// What the chain's model names: SHA-256 of the document's bytes.
Hash32 ManifestHash(ByteView document);

// Merkle tree over tensors sorted by name, of the shape of RFC 6962 section 2.1. Leaves say nothing
// about slots, so the root of a set of tensors is the same however the model is cut. REQUIRES at
// least one tensor.
Hash32 TensorLeaf(const Tensor& tensor);
Hash32 WeightsRoot(std::vector<Tensor> tensors);

}  // namespace teetee::manifest
