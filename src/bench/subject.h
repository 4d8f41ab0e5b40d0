// What is measured: something that computes tokens and says how long it took.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "engine/local_pipeline.h"

namespace teetee::bench {

class Subject {
 public:
  virtual ~Subject() = default;
  // Seconds for a fresh sequence of `tokens` tokens, with logits of the last position.
  virtual Result<double> Prefill(size_t tokens) = 0;
  // Seconds for `tokens` steps of `batch` fresh sequences; each token is the likeliest one of the
  // step before.
  virtual Result<double> Decode(size_t batch, size_t tokens) = 0;
  // Passes over the weights that one step of `batch` sequences takes.
  virtual size_t Groups(size_t batch) const = 0;
};

// A whole model in this process. The caller's thread is one of the pipeline's compute threads, so
// its clock is a worker's clock.
class LocalSubject : public Subject {
 public:
  explicit LocalSubject(engine::LocalPipeline& pipeline);
  Result<double> Prefill(size_t tokens) override;
  Result<double> Decode(size_t batch, size_t tokens) override;
  size_t Groups(size_t) const override { return 1; }

 private:
  struct Batch;
  engine::LocalPipeline& pipeline_;
};

}  // namespace teetee::bench
