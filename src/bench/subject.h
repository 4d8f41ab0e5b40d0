// What is measured: something that computes tokens and says how long it took.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "engine/local_pipeline.h"

namespace teetee::bench {

// Ids spread over a vocabulary; which ones does not matter to the time.
engine::TokenId SomeId(size_t i, size_t vocab);

struct Timing {
  double seconds = 0;
  double passes = 1;  // over all weights, of one step
};

class Subject {
 public:
  virtual ~Subject() = default;
  // A fresh sequence of `tokens` tokens, with logits of the last position.
  virtual Result<Timing> Prefill(size_t tokens) = 0;
  // `tokens` steps of `batch` fresh sequences; each token is the likeliest one of the step before.
  virtual Result<Timing> Decode(size_t batch, size_t tokens) = 0;
};

// A whole model in this process. The caller's thread is one of the pipeline's compute threads, so
// its clock is a worker's clock.
class LocalSubject : public Subject {
 public:
  // Errors are those of LocalPipeline::Load.
  static Result<std::unique_ptr<LocalSubject>> Load(const model::GgufFile& file, size_t threads,
                                                    ops::Isa isa);
  Result<Timing> Prefill(size_t tokens) override;
  Result<Timing> Decode(size_t batch, size_t tokens) override;

 private:
  struct Batch;
  explicit LocalSubject(std::unique_ptr<engine::LocalPipeline> pipeline);

  std::unique_ptr<engine::LocalPipeline> pipeline_;
};

}  // namespace teetee::bench
