// A model cut over stages on this machine: what runs between machines, over loopback.
#pragma once

#ifdef TEETEE_SIMULATED

#include <memory>

#include "bench/subject.h"
#include "pipeline/local_cluster.h"

namespace teetee::bench {

class ClusterSubject : public Subject {
 public:
  // For up to `max_batch` sequences at once. Errors are those of LocalCluster::Start.
  static Result<std::unique_ptr<ClusterSubject>> Start(const model::GgufFile& file, uint32_t stages,
                                                       size_t threads, ops::Isa isa,
                                                       size_t max_batch);
  Result<Timing> Prefill(size_t tokens) override;
  Result<Timing> Decode(size_t batch, size_t tokens) override;

 private:
  ClusterSubject(std::unique_ptr<pipeline::LocalCluster> cluster, size_t vocab);
  double PassesPerStep(const pipeline::ClusterRun& run, size_t steps) const;

  std::unique_ptr<pipeline::LocalCluster> cluster_;
  size_t vocab_;
};

}  // namespace teetee::bench

#endif  // TEETEE_SIMULATED
