#include "pipeline/channel_link.h"

namespace teetee::pipeline {
namespace {

class ChannelLink final : public Link {
 public:
  explicit ChannelLink(std::unique_ptr<transport::Channel> channel) : channel_(std::move(channel)) {}

  net::Task<Status> Send(uint8_t type, Bytes payload) override {
    Status sent = co_await channel_->Send(type, payload);
    co_return sent;
  }
  net::Task<Result<Message>> Receive() override {
    auto frame = co_await channel_->Receive();
    TT_CO_CHECK(frame);
    co_return Message{frame->type, std::move(frame->payload)};
  }
  const attest::Claims& peer() const override { return channel_->peer().claims(); }
  bool fresh() const override { return !channel_->closed() && channel_->fresh(); }
  void Close() override { channel_->Close(); }

 private:
  std::unique_ptr<transport::Channel> channel_;
};

}  // namespace

std::shared_ptr<Link> WrapChannel(std::unique_ptr<transport::Channel> channel) {
  return std::make_shared<ChannelLink>(std::move(channel));
}

Status CheckWeights(const attest::Claims& claims, const Hash32& model, const std::vector<Hash32>& weights_by_slot) {
  if (claims.model != model) return Error(Code::kPermissionDenied, "check channel.model: the peer serves another model");
  if (claims.slot >= weights_by_slot.size() || claims.weights_root != weights_by_slot[claims.slot]) {
    return Error(Code::kPermissionDenied, "check channel.weights: the peer's shard is not the manifest's");
  }
  return Ok{};
}

DialFn MakeDialer(transport::ChannelContext context, Hash32 model, std::vector<Hash32> weights_by_slot) {
  auto dial = [](transport::ChannelContext with, Hash32 of, std::vector<Hash32> weights,
                 protocol::PlanNode node) -> net::Task<Result<std::shared_ptr<Link>>> {
    transport::ExpectedPeer expected;
    expected.key = node.key;
    expected.slot = node.slot;
    expected.model = of;
    auto channel = co_await transport::Dial(node.channel, with, expected);
    TT_CO_CHECK(channel);
    Status right = CheckWeights((*channel)->peer().claims(), of, weights);
    TT_CO_CHECK(right);
    co_return WrapChannel(*std::move(channel));
  };
  return [=](protocol::PlanNode node) { return dial(context, model, weights_by_slot, std::move(node)); };
}

}  // namespace teetee::pipeline
