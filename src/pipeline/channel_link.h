// A transport::Channel as a pipeline link, and dialling by plan.
#pragma once

#include "manifest/manifest.h"
#include "pipeline/link.h"
#include "transport/channel.h"

namespace teetee::pipeline {

std::shared_ptr<Link> WrapChannel(std::unique_ptr<transport::Channel> channel);

// Dials a plan's node and holds it to key, slot, model and the weights root of that slot.
DialFn MakeDialer(transport::ChannelContext context, Hash32 model, std::vector<Hash32> weights_by_slot);

// check channel.weights: a peer of this model whose shard is the slot's.
Status CheckWeights(const attest::Claims& claims, const Hash32& model, const std::vector<Hash32>& weights_by_slot);

}  // namespace teetee::pipeline
