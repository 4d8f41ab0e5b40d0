// Llama (Touvron et al. 2023) with grouped-query attention: RMSNorm, rotary positions on adjacent
// pairs (GGUF permutes the rows of q and k to that form), SwiGLU, no biases. The order of
// operations is that of docs/formats/numerics.md.
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/family.h"
#include "ops/activation.h"
#include "ops/norm.h"

namespace teetee::model {
namespace {

std::string BlockTensorName(size_t index, std::string_view part) {
  return "blk." + std::to_string(index) + "." + std::string(part) + ".weight";
}

class LlamaBlock final : public Block {
 public:
  LlamaBlock(const ModelConfig& config, size_t index, ops::Isa isa, WeightSet& w)
      : isa_(isa),
        dim_(config.hidden_dim),
        n_heads_(config.n_heads),
        n_kv_heads_(config.n_kv_heads),
        head_dim_(config.head_dim),
        ffn_dim_(config.ffn_dim),
        norm_eps_(config.norm_eps),
        pairs_(config.rope.pairs == RopePairs::kAdjacent ? ops::RopePairs::kAdjacent
                                                         : ops::RopePairs::kHalfSplit),
        attn_norm_(w.TakeVector(BlockTensorName(index, "attn_norm"))),
        ffn_norm_(w.TakeVector(BlockTensorName(index, "ffn_norm"))),
        wq_(w.TakeMatrix(BlockTensorName(index, "attn_q"))),
        wk_(w.TakeMatrix(BlockTensorName(index, "attn_k"))),
        wv_(w.TakeMatrix(BlockTensorName(index, "attn_v"))),
        wo_(w.TakeMatrix(BlockTensorName(index, "attn_output"))),
        gate_(w.TakeMatrix(BlockTensorName(index, "ffn_gate"))),
        up_(w.TakeMatrix(BlockTensorName(index, "ffn_up"))),
        down_(w.TakeMatrix(BlockTensorName(index, "ffn_down"))) {}

  void Forward(BlockBatch& batch, const ops::RopeTable& rope, Scratch& s,
               ops::ThreadPool& pool) const override {
    s.y.resize(batch.rows * dim_);
    AttentionPart(batch, rope, s, pool);
    FeedForwardPart(batch, s, pool);
  }

  size_t weight_bytes() const override {
    const size_t norms = (attn_norm_.size() + ffn_norm_.size()) * sizeof(float);
    return norms + wq_.bytes() + wk_.bytes() + wv_.bytes() + wo_.bytes() + gate_.bytes() +
           up_.bytes() + down_.bytes();
  }

 private:
  void AttentionPart(BlockBatch& batch, const ops::RopeTable& rope, Scratch& s,
                     ops::ThreadPool& pool) const {
    const size_t rows = batch.rows;
    s.q.resize(rows * n_heads_ * head_dim_);
    s.k.resize(rows * n_kv_heads_ * head_dim_);
    s.v.resize(rows * n_kv_heads_ * head_dim_);

    NormInto(batch, attn_norm_, s);
    SetActivations(batch, "attention input", s.y.data(), dim_, {&wq_, &wk_, &wv_}, s);
    ops::MatMul(wq_, s.act, rows, s.q.data(), pool);
    ops::MatMul(wk_, s.act, rows, s.k.data(), pool);
    ops::MatMul(wv_, s.act, rows, s.v.data(), pool);
    for (const BlockItem& item : batch.items) {
      if (item.error) continue;
      rope.Apply(isa_, pairs_, item.pos0, item.n, n_heads_, head_dim_,
                 s.q.data() + item.row0 * n_heads_ * head_dim_);
      rope.Apply(isa_, pairs_, item.pos0, item.n, n_kv_heads_, head_dim_,
                 s.k.data() + item.row0 * n_kv_heads_ * head_dim_);
    }
    batch.CheckRows("query", s.q.data(), n_heads_ * head_dim_, /*below2pow100=*/true);
    batch.CheckRows("key", s.k.data(), n_kv_heads_ * head_dim_);
    batch.CheckRows("value", s.v.data(), n_kv_heads_ * head_dim_);
    for (BlockItem& item : batch.items) {
      if (!item.error) Attend(item, s, pool);
    }
    SetActivations(batch, "attention output", s.q.data(), n_heads_ * head_dim_, {&wo_}, s);
    ops::MatMul(wo_, s.act, rows, s.y.data(), pool);
    ops::Add(s.y.data(), rows * dim_, batch.x);
  }

  // Stores the item's keys and values and overwrites its queries with the result of attention.
  void Attend(BlockItem& item, Scratch& s, ops::ThreadPool& pool) const {
    const size_t kv_row = n_kv_heads_ * head_dim_;
    Status stored =
        item.kv->Append(s.k.data() + item.row0 * kv_row, s.v.data() + item.row0 * kv_row, item.n);
    TT_CHECK(stored.has_value());  // finite and within capacity: both were checked
    float* q = s.q.data() + item.row0 * n_heads_ * head_dim_;
    Status done = item.kv->Attention(isa_, q, n_heads_, item.pos0, item.n, {}, pool, q);
    TT_CHECK(done.has_value());
  }

  void FeedForwardPart(BlockBatch& batch, Scratch& s, ops::ThreadPool& pool) const {
    const size_t rows = batch.rows;
    s.gate.resize(rows * ffn_dim_);
    s.up.resize(rows * ffn_dim_);

    NormInto(batch, ffn_norm_, s);
    SetActivations(batch, "feed-forward input", s.y.data(), dim_, {&gate_, &up_}, s);
    ops::MatMul(gate_, s.act, rows, s.gate.data(), pool);
    ops::MatMul(up_, s.act, rows, s.up.data(), pool);
    pool.ParallelFor(rows, [&](size_t row) {
      float* gate = s.gate.data() + row * ffn_dim_;
      ops::SwiGlu(isa_, gate, s.up.data() + row * ffn_dim_, ffn_dim_, gate);
    });
    SetActivations(batch, "feed-forward unit", s.gate.data(), ffn_dim_, {&down_}, s);
    ops::MatMul(down_, s.act, rows, s.y.data(), pool);
    ops::Add(s.y.data(), rows * dim_, batch.x);
  }

  void NormInto(BlockBatch& batch, const std::vector<float>& weight, Scratch& s) const {
    batch.CheckRows("residual stream", batch.x, dim_);
    const Status done =
        ops::RmsNorm(isa_, batch.x, weight.data(), batch.rows, dim_, norm_eps_, s.y.data());
    TT_CHECK(done.has_value());
  }

  // Makes `values` (rows, width) the input of the given matrices.
  void SetActivations(BlockBatch& batch, std::string_view what, float* values, size_t width,
                      std::initializer_list<const ops::PackedMatrix*> readers, Scratch& s) const {
    batch.CheckRows(what, values, width);
    const bool blocks = std::any_of(readers.begin(), readers.end(),
                                    [](const auto* m) { return ops::IsQuantised(m->dtype()); });
    const Status done = s.act.Set(isa_, values, batch.rows, width, blocks);
    TT_CHECK(done.has_value());  // finite; GGUF makes k a multiple of 32 for quantised types
  }

  const ops::Isa isa_;
  const size_t dim_;
  const size_t n_heads_;
  const size_t n_kv_heads_;
  const size_t head_dim_;
  const size_t ffn_dim_;
  const float norm_eps_;
  const ops::RopePairs pairs_;
  const std::vector<float> attn_norm_;  // (dim)
  const std::vector<float> ffn_norm_;   // (dim)
  const ops::PackedMatrix wq_;          // (n_heads * head_dim, dim)
  const ops::PackedMatrix wk_;          // (n_kv_heads * head_dim, dim)
  const ops::PackedMatrix wv_;          // (n_kv_heads * head_dim, dim)
  const ops::PackedMatrix wo_;          // (dim, n_heads * head_dim)
  const ops::PackedMatrix gate_;        // (ffn_dim, dim)
  const ops::PackedMatrix up_;          // (ffn_dim, dim)
  const ops::PackedMatrix down_;        // (dim, ffn_dim)
};

class LlamaFamily final : public Family {
 public:
  std::unique_ptr<Block> MakeBlock(const ModelConfig& config, size_t index, ops::Isa isa,
                                   WeightSet& weights) const override {
    return std::make_unique<LlamaBlock>(config, index, isa, weights);
  }
};

}  // namespace

std::unique_ptr<Family> MakeLlamaFamily() { return std::make_unique<LlamaFamily>(); }

}  // namespace teetee::model
