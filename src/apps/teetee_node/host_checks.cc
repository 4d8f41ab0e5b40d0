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

ByteView FloatBytes(std::span<const float> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

// Through the queue that serves requests, as one sequence like any other.
net::Task<Result<Hash32>> Compute(Node::State& s, uint64_t seed, uint64_t n) {
  const model::Shard& shard = s.compute->shard();
  auto sequence = s.compute->Open(n);
  TT_CO_CHECK(sequence);
  auto hash = std::make_shared<crypto::Sha256Stream>();
  pipeline::KnownInput input = pipeline::MakeKnownInput(shard, seed, n);
  pipeline::ComputeJob job;
  job.ids = std::move(input.ids);
  job.x = std::move(input.x);
  if (shard.is_last()) {
    job.logits = n;
    job.on_logits = [hash](size_t, std::span<const float> logits) -> Status {
      hash->Update(FloatBytes(logits));
      return Ok{};
    };
  }
  auto rows = co_await s.compute->Forward(*sequence, std::move(job));
  TT_CO_CHECK(rows);
  if (!shard.is_last()) hash->Update(FloatBytes(*rows));
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
    item.Set("seed", ToHex0x(ByteWriter().U64Be(kat.seed).bytes())).Set("n_tokens", kat.n_tokens).Set("output_sha256", ToHex(*output));
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
