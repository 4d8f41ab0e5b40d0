// Llama (Touvron et al. 2023) with grouped-query attention: RMSNorm, rotary positions on adjacent
// pairs (GGUF permutes the rows of q and k to that form), SwiGLU, no biases. The order of
// operations is that of docs/formats/numerics.md.
#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/family.h"
#include "ops/activation.h"
#include "ops/norm.h"
#include "ops/sum.h"

namespace teetee::model {
namespace {

std::string BlockTensorName(size_t index, std::string_view part) {
  return "blk." + std::to_string(index) + "." + std::string(part) + ".weight";
}

// Matrices that read the same input.
using Readers = std::initializer_list<const ops::PackedMatrix*>;

// Calls body(row) for every row, rows of `width` values spread over the threads; whether all of them returned true.
template <class Body>
bool ForRows(ops::ThreadPool& pool, size_t rows, size_t width, Body body) {
  constexpr size_t kValuesPerTask = 16384;
  const size_t per_task = std::max<size_t>(1, kValuesPerTask / width);
  std::atomic<bool> good{true};
  pool.ParallelFor((rows + per_task - 1) / per_task, [&](size_t task) {
    for (size_t row = task * per_task; row < std::min(rows, (task + 1) * per_task); ++row) {
      if (!body(row)) good.store(false, std::memory_order_relaxed);
    }
  });
  return good.load(std::memory_order_relaxed);
}

// Rows of an item with an error may hold anything, and are zeroed before each step (BlockBatch::CheckRows).
bool AnyFailed(const BlockBatch& batch) {
  return std::any_of(batch.items.begin(), batch.items.end(), [](const BlockItem& item) { return item.error.has_value(); });
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
    s.attended.resize(rows * n_heads_ * head_dim_);
    s.k.resize(rows * n_kv_heads_ * head_dim_);
    s.v.resize(rows * n_kv_heads_ * head_dim_);

    SetNormed(batch, attn_norm_, "attention input", {&wq_, &wk_, &wv_}, s, pool);
    const ops::Product products[] = {{&wq_, s.q.data()}, {&wk_, s.k.data()}, {&wv_, s.v.data()}};
    ops::MatMul(products, s.act, rows, pool);
    Rotate(batch, rope, s, pool);
    Attend(batch, s, pool);
    SetActivations(batch, "attention output", s.attended.data(), n_heads_ * head_dim_, {&wo_}, s,
                   pool, [](size_t) {});
    ops::MatMul(wo_, s.act, rows, s.y.data(), pool);
    AddToResidual(batch, s, pool);
  }

  // RoPE on q and k, and the checks that q, k and v must pass before they meet the cache.
  void Rotate(BlockBatch& batch, const ops::RopeTable& rope, Scratch& s,
              ops::ThreadPool& pool) const {
    const size_t q_row = n_heads_ * head_dim_, kv_row = n_kv_heads_ * head_dim_;
    s.position.resize(batch.rows);
    for (const BlockItem& item : batch.items) {
      for (size_t i = 0; i < item.n; ++i) s.position[item.row0 + i] = item.pos0 + i;
    }
    const bool good = ForRows(pool, batch.rows, q_row + 2 * kv_row, [&](size_t row) {
      float* q = s.q.data() + row * q_row;
      float* k = s.k.data() + row * kv_row;
      rope.Apply(isa_, pairs_, s.position[row], 1, n_heads_, head_dim_, q);
      rope.Apply(isa_, pairs_, s.position[row], 1, n_kv_heads_, head_dim_, k);
      return ops::AllBelow2Pow100(q, q_row) && ops::AllFinite(k, kv_row) &&
             ops::AllFinite(s.v.data() + row * kv_row, kv_row);
    });
    if (good) return;
    batch.CheckRows("query", s.q.data(), q_row, /*below2pow100=*/true);
    batch.CheckRows("key", s.k.data(), kv_row);
    batch.CheckRows("value", s.v.data(), kv_row);
  }

  // Stores every item's keys and values and lets its queries attend to all that is stored.
  void Attend(BlockBatch& batch, Scratch& s, ops::ThreadPool& pool) const {
    const size_t kv_row = n_kv_heads_ * head_dim_;
    std::vector<ops::AttentionItem> items;
    for (BlockItem& item : batch.items) {
      if (item.error) continue;
      Status stored =
          item.kv->Append(s.k.data() + item.row0 * kv_row, s.v.data() + item.row0 * kv_row, item.n);
      TT_CHECK(stored.has_value());  // finite and within capacity: both were checked
      const size_t at = item.row0 * n_heads_ * head_dim_;
      items.push_back({item.kv, s.q.data() + at, s.attended.data() + at, item.pos0, item.n});
    }
    Status done = ops::KvCacheLayer::AttentionBatch(isa_, items, n_heads_, {}, pool);
    TT_CHECK(done.has_value());
  }

  void FeedForwardPart(BlockBatch& batch, Scratch& s, ops::ThreadPool& pool) const {
    const size_t rows = batch.rows;
    s.gate.resize(rows * ffn_dim_);
    s.up.resize(rows * ffn_dim_);

    SetNormed(batch, ffn_norm_, "feed-forward input", {&gate_, &up_}, s, pool);
    const ops::Product products[] = {{&gate_, s.gate.data()}, {&up_, s.up.data()}};
    ops::MatMul(products, s.act, rows, pool);
    SetActivations(batch, "feed-forward unit", s.gate.data(), ffn_dim_, {&down_}, s, pool,
                   [&](size_t row) {
                     float* gate = s.gate.data() + row * ffn_dim_;
                     ops::SwiGlu(isa_, gate, s.up.data() + row * ffn_dim_, ffn_dim_, gate);
                   });
    ops::MatMul(down_, s.act, rows, s.y.data(), pool);
    AddToResidual(batch, s, pool);
  }

  void AddToResidual(BlockBatch& batch, const Scratch& s, ops::ThreadPool& pool) const {
    ForRows(pool, batch.rows, dim_, [&](size_t row) {
      ops::Add(isa_, s.y.data() + row * dim_, dim_, batch.x + row * dim_);
      return true;
    });
  }

  // Makes the normed residual stream the input of the given matrices.
  void SetNormed(BlockBatch& batch, const std::vector<float>& weight, std::string_view what,
                 Readers readers, Scratch& s, ops::ThreadPool& pool) const {
    Reshape(batch.rows, dim_, readers, s);
    const bool good =
        !AnyFailed(batch) && ForRows(pool, batch.rows, dim_, [&](size_t row) {
          float* y = s.y.data() + row * dim_;
          return ops::RmsNorm(isa_, batch.x + row * dim_, weight.data(), 1, dim_, norm_eps_, y)
                     .has_value() &&
                 s.act.SetRow(row, y);
        });
    if (good) return;
    batch.CheckRows("residual stream", batch.x, dim_);
    const Status done =
        ops::RmsNorm(isa_, batch.x, weight.data(), batch.rows, dim_, norm_eps_, s.y.data());
    TT_CHECK(done.has_value());
    SetChecked(batch, what, s.y.data(), dim_, s);
  }

  // Makes `values` (rows, width), after finish(row) for each row, the input of the given matrices.
  template <class Finish>
  void SetActivations(BlockBatch& batch, std::string_view what, float* values, size_t width,
                      Readers readers, Scratch& s, ops::ThreadPool& pool, Finish finish) const {
    Reshape(batch.rows, width, readers, s);
    const bool good = ForRows(pool, batch.rows, width, [&](size_t row) {
      finish(row);
      return s.act.SetRow(row, values + row * width);
    });
    if (!good || AnyFailed(batch)) SetChecked(batch, what, values, width, s);
  }

  void Reshape(size_t rows, size_t width, Readers readers, Scratch& s) const {
    const auto is_quantised = [](const auto* m) { return ops::IsQuantised(m->dtype()); };
    const bool blocks = std::any_of(readers.begin(), readers.end(), is_quantised);
    const bool floats = !std::all_of(readers.begin(), readers.end(), is_quantised);
    const Status done = s.act.Reshape(isa_, rows, width, blocks, floats);
    TT_CHECK(done.has_value());  // GGUF makes k a multiple of 32 for quantised types
  }

  // Ends the items whose rows are not finite and takes the rows of the others.
  void SetChecked(BlockBatch& batch, std::string_view what, float* values, size_t width,
                  Scratch& s) const {
    batch.CheckRows(what, values, width);
    for (size_t row = 0; row < batch.rows; ++row) TT_CHECK(s.act.SetRow(row, values + row * width));
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
