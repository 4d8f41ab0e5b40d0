// What a host or auditor asks of a node before it joins: does it hold the HPKE key that its evidence claims, and does it compute the
// manifest's known answers? docs/formats/http-api.md, sealed-request.md section 5.
#include <chrono>

#include "apps/teetee_node/state.h"
#include "crypto/hash.h"
#include "crypto/keccak.h"
#include "pipeline/verified_shard.h"
#include "protocol/challenge.h"
#include "protocol/fields.h"

namespace teetee::node {
namespace {

constexpr std::string_view kKnownLabel = "teetee known answer v1";

ByteView FloatBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

template <class T>
std::vector<T> Part(const std::vector<T>& all, size_t from, size_t count) {
  const auto begin = all.begin() + static_cast<ptrdiff_t>(from);
  return std::vector<T>(begin, begin + static_cast<ptrdiff_t>(count));
}

// Through the queue that serves requests, so that it neither disturbs nor overtakes them. One row at a time where each row's logits
// count: how rows are grouped changes no bit (docs/formats/numerics.md).
net::Task<Result<Hash32>> Compute(Node::State& s, uint64_t seed, uint64_t n) {
  const model::Shard& shard = s.compute->shard();
  auto sequence = s.compute->Open(n);
  TT_CO_CHECK(sequence);
  const pipeline::KnownInput input = pipeline::MakeKnownInput(shard, seed, n);
  auto hash = std::make_shared<crypto::Sha256Stream>();
  pipeline::Compute::OnLogits take = nullptr;
  if (shard.is_last()) {
    take = [hash](std::vector<float>& logits) -> Status {
      hash->Update(FloatBytes(logits));
      return Ok{};
    };
  }
  const size_t step = shard.is_last() ? 1 : n, dim = shard.config().hidden_dim;
  for (size_t at = 0; at < n; at += step) {
    auto task = shard.is_first() ? s.compute->ForwardIds(*sequence, at, Part(input.ids, at, step), take)
                                 : s.compute->Forward(*sequence, at, Part(input.x, at * dim, step * dim), take);
    auto rows = co_await std::move(task);
    TT_CO_CHECK(rows);
    if (!shard.is_last()) hash->Update(FloatBytes(*rows));
  }
  co_return hash->Finish();
}

struct Known {
  Json kats = Json::MakeArray();
  double rows_per_second = 0;
};

net::Task<Result<Known>> ComputeAll(Node::State& s) {
  Known out;
  uint64_t rows = 0;
  const auto began = net::SteadyClock::now();
  for (const manifest::KnownAnswer& kat : s.facts.manifest.slots[s.facts.slot].kats) {
    auto output = co_await Compute(s, kat.seed, kat.n_tokens);
    TT_CO_CHECK(output);
    rows += kat.n_tokens;
    Json item = Json::MakeObject();
    item.Set("seed", kat.seed).Set("n_tokens", kat.n_tokens).Set("output_sha256", ToHex(*output));
    out.kats.Push(std::move(item));
  }
  const double seconds = std::chrono::duration<double>(net::SteadyClock::now() - began).count();
  if (seconds > 0) out.rows_per_second = static_cast<double>(rows) / seconds;
  co_return out;
}

Json SignedKnown(const Node::State& s, const Known& known, const Hash32& nonce) {
  const Bytes said = ByteWriter().Raw(kKnownLabel).Raw(nonce).Raw(known.kats.Canonical()).Take();
  const auto signature = chain::Compact(s.signing_key->Sign(crypto::Keccak256(said)));
  return Json::MakeObject({{"kats", known.kats},
                           {"rows_per_second", known.rows_per_second},
                           {"nonce", ToHex(nonce)},
                           {"signature", protocol::SignatureText(signature)}});
}

}  // namespace

net::HttpResponse AnswerChallenge(Node::State& s, const net::HttpRequest& request) {
  auto answer = protocol::AnswerChallenge(request.body, *s.hpke_key, s.signing_key->address());
  if (!answer) return ErrorResponse(answer.error());
  net::HttpResponse out;
  out.headers.Set("Content-Type", "application/octet-stream").Set("Cache-Control", "no-store");
  out.body = *std::move(answer);
  return out;
}

net::Task<net::HttpResponse> AnswerKnown(Node::State& s, const net::HttpRequest& request) {
  auto nonce = [&]() -> Result<Hash32> {
    const Json body = TT_TRY(Json::Parse(request.text(), {.max_bytes = 4096, .max_depth = 2}));
    return protocol::GetHex<32>(body, "nonce");
  }();
  if (!nonce) co_return ErrorResponse(nonce.error());
  if (s.knows_answers) co_return ErrorResponse(Error(Code::kResourceExhausted, "known answers are being computed for someone else: try again"));
  struct Busy {
    bool& flag;
    explicit Busy(bool& f) : flag(f) { flag = true; }
    ~Busy() { flag = false; }
  } busy(s.knows_answers);
  auto known = co_await ComputeAll(s);
  if (!known) co_return ErrorResponse(known.error());
  co_return net::HttpResponse::OfJson(200, SignedKnown(s, *known, *nonce));
}

}  // namespace teetee::node
