// Loading of shared models for the golden tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/local_pipeline.h"
#include "model/testing/shared_data.h"

namespace teetee::golden {

inline constexpr const char* kStories = "models/stories260k/stories260K-f32.gguf";
inline constexpr const char* kTiny = "models/tinystories-656k/TinyStories-656K-f32.gguf";
inline constexpr const char* kTinyQ8 = "models/tinystories-656k/TinyStories-656K-Q8_0.gguf";
inline constexpr const char* kTinyQ4 = "models/tinystories-656k/TinyStories-656K-Q4_0.gguf";

// nullptr with a failure recorded.
inline std::unique_ptr<engine::LocalPipeline> LoadShared(const char* name, ops::Isa isa,
                                                         size_t threads) {
  const auto load = [&]() -> Result<std::unique_ptr<engine::LocalPipeline>> {
    const model::GgufFile file = TT_TRY(model::GgufFile::Open(model::testing::SharedPath(name)));
    const model::ModelConfig config = TT_TRY(model::ModelConfig::From(file));
    const auto ranges = TT_TRY(engine::CutEvenly(config.n_layers, 1));
    return engine::LocalPipeline::Load(file, config, ranges, isa, threads);
  };
  auto loaded = load();
  if (!loaded) {
    ADD_FAILURE() << name << ": " << loaded.error().message();
    return nullptr;
  }
  return *std::move(loaded);
}

}  // namespace teetee::golden
