// Loading of shared models for the golden tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "engine/local_pipeline.h"
#include "model/testing/shared_data.h"
#include "model/tokenizer.h"

namespace teetee::golden {

inline constexpr const char* kStories = "models/stories260k/stories260K-f32.gguf";
inline constexpr const char* kTiny = "models/tinystories-656k/TinyStories-656K-f32.gguf";
inline constexpr const char* kTinyQ8 = "models/tinystories-656k/TinyStories-656K-Q8_0.gguf";
inline constexpr const char* kTinyQ4 = "models/tinystories-656k/TinyStories-656K-Q4_0.gguf";

struct Model {
  model::Tokenizer tokenizer;
  std::unique_ptr<engine::LocalPipeline> pipeline;
};

inline Result<Model> TryLoadShared(const char* name, ops::Isa isa, size_t threads) {
  const model::GgufFile file = TT_TRY(model::GgufFile::Open(model::testing::SharedPath(name)));
  const model::ModelConfig config = TT_TRY(model::ModelConfig::From(file));
  model::Tokenizer tokenizer = TT_TRY(model::Tokenizer::From(file.metadata()));
  const auto ranges = TT_TRY(engine::CutEvenly(config.n_layers, 1));
  auto pipeline = TT_TRY(engine::LocalPipeline::Load(file, config, ranges, isa, threads));
  return Model{std::move(tokenizer), std::move(pipeline)};
}

// Empty, with a failure recorded, when it cannot be loaded.
inline std::optional<Model> LoadShared(const char* name, ops::Isa isa, size_t threads) {
  auto loaded = TryLoadShared(name, isa, threads);
  if (loaded) return *std::move(loaded);
  ADD_FAILURE() << name << ": " << loaded.error().message();
  return std::nullopt;
}

}  // namespace teetee::golden
