// Frames between the nodes of one pipeline. Source: docs/formats/pipeline.md. They travel inside attested channels only; parsing is
// strict all the same, since a broken TEE is still a peer.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "chain/wei.h"

namespace teetee::pipeline {

using SequenceId = ByteArray<16>;
using PrefixKey = ByteArray<16>;  // of one page of a prefix: prefix_keys.h

enum FrameType : uint8_t {
  kOpen = 16,
  kOpenOk = 17,
  kAct = 18,
  kToken = 19,
  kWork = 20,
  kClose = 21,
  kClosed = 22,
  kError = 23,
  kBatch = 24,
};

inline constexpr size_t kMaxActBytes = 32u << 20;
inline constexpr uint32_t kMaxAlternatives = 20;
inline constexpr size_t kMaxBatchFrames = 1024;
inline constexpr size_t kMaxPrefixKeys = 4096;
inline constexpr uint32_t kMaxDraftRows = 16;  // of an ACT with Sampling::kEach

// What every frame starts with.
struct FrameHead {
  SequenceId sequence{};
  uint32_t generation = 0;
};
Result<FrameHead> ReadHead(ByteReader& reader);
void WriteHead(ByteWriter& writer, const FrameHead& head);

enum class Sampling : uint8_t {
  kNone = 0,
  kLast = 1,  // the last stage samples after the last row
  kEach = 2,  // after each row: all but the first hold a draft
};
struct ActFrame {
  FrameHead head;
  uint64_t position = 0;    // of the first row
  uint32_t rows = 0, dim = 0;
  Sampling sample = Sampling::kNone;
  uint8_t group = 0;        // sequences that step together
  std::vector<float> x;     // (rows, dim), all finite
};
// Reads the head and the sizes first: kInvalidArgument unless dim is the expected one and rows is in [1, max_rows], or to kMaxDraftRows.
Result<ActFrame> ParseAct(ByteView payload, uint32_t dim, uint32_t max_rows);
Bytes Serialize(const ActFrame& frame);

struct Alternative {
  uint32_t id = 0;
  float logprob = 0;
};
struct TokenFrame {
  FrameHead head;
  uint64_t position = 0;  // of this token
  uint32_t id = 0;
  float logprob = 0;
  std::vector<Alternative> top;
};
Result<TokenFrame> ParseToken(ByteView payload);
Bytes Serialize(const TokenFrame& frame);

enum class ProofKind : uint8_t { kNone = 0, kWork = 1, kPart = 2 };
struct WorkFrame {
  FrameHead head;
  uint64_t position = 0;
  uint64_t tokens_in = 0, tokens_out = 0;
  ProofKind kind = ProofKind::kNone;
  chain::Uint128 total = 0;  // wei, kWork only
  ByteArray<64> signature{};    // r || vs (EIP-2098)
  Hash32 commitment{};          // CLOSED only
};
Result<WorkFrame> ParseWork(ByteView payload, bool closed);
Bytes Serialize(const WorkFrame& frame, bool closed);

struct OpenOkFrame {
  FrameHead head;
  uint64_t cached = 0;  // positions of the prompt whose pages the stage holds
};
Result<OpenOkFrame> ParseOpenOk(ByteView payload);
Bytes Serialize(const OpenOkFrame& frame);

enum class CloseReason : uint8_t { kEnd = 0, kCancel = 1, kFailure = 2 };
struct CloseFrame {
  FrameHead head;
  CloseReason reason = CloseReason::kEnd;
  uint64_t positions = 0;            // that the delivered tokens were drawn from
  std::vector<PrefixKey> keep;       // keys of the first pages, to be cached
};
Result<CloseFrame> ParseClose(ByteView payload);
Bytes Serialize(const CloseFrame& frame);

struct ErrorFrame {
  FrameHead head;
  Code code = Code::kInternal;
  std::string text;
};
Result<ErrorFrame> ParseError(ByteView payload);
Bytes Serialize(const ErrorFrame& frame);

// Frames of several sequences in one.
struct BatchEntry {
  uint8_t type = 0;  // not kBatch
  Bytes payload;
};
Result<std::vector<BatchEntry>> ParseBatch(ByteView payload);  // 1 to kMaxBatchFrames
Bytes SerializeBatch(const std::vector<BatchEntry>& entries);

}  // namespace teetee::pipeline
