// The metadata keys that mark a shard's GGUF file (docs/formats/gguf-shards.md).
#pragma once

#include <string_view>

namespace teetee::model {
inline constexpr std::string_view kShardSlot = "teetee.slot";    // u32, from 0
inline constexpr std::string_view kShardSlots = "teetee.slots";  // u32, at least 1
inline constexpr std::string_view kShardFirstBlock =
    "teetee.first_block";  // u32, index in the whole model
inline constexpr std::string_view kShardBlockCount = "teetee.block_count";  // u32, at least 1
inline constexpr std::string_view kShardTiedHead = "teetee.tied_head";      // bool
}  // namespace teetee::model
