// What the head tells a stage about a new sequence (frame OPEN). Source: docs/formats/pipeline.md.
#pragma once

#include <optional>
#include <vector>

#include "engine/sampler.h"
#include "pipeline/frames.h"
#include "protocol/plan.h"

namespace teetee::pipeline {

enum class PayMode : uint8_t { kFree = 0, kTab = 1, kStrict = 2 };
std::string_view PayModeName(PayMode mode);  // "free", "tab", "strict"

// For the stage that samples.
struct SamplingSpec {
  engine::SamplerSettings settings;
  bool logprobs = false;
  uint32_t top_logprobs = 0;
};

struct OpenFrame {
  FrameHead head;
  uint64_t stream = 0;         // index of the choice
  uint32_t prompt_tokens = 0;  // positions of the prompt
  uint32_t max_positions = 0;  // prompt and answer
  uint32_t deadline_ms = 0;    // from OPEN on
  protocol::Plan plan;
  Hash32 commit{};  // key of this stage's commitment
  Hash32 line{};
  PayMode mode = PayMode::kFree;
  Hash32 query{};
  std::optional<SamplingSpec> sampler;
  std::vector<uint32_t> prompt_ids;  // where a penalty looks at them
  std::vector<PrefixKey> prefix;     // keys of the prompt's whole pages; none where the payer wants no cache
};

// Bounds: max_positions and prompt_tokens up to max_positions_limit, deadline up to 12 h.
Result<OpenFrame> ParseOpen(ByteView payload, uint32_t max_positions_limit);
Bytes Serialize(const OpenFrame& frame);

Json SamplerJson(const SamplingSpec& spec);
Result<SamplingSpec> SamplerFromJson(const Json& json);

}  // namespace teetee::pipeline
