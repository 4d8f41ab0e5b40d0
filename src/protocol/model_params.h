// The parameters whose hash is a model id, as JSON (docs/formats/http-api.md). Pure.
#pragma once

#include "base/json.h"
#include "chain/model_id.h"

namespace teetee::protocol {

// {"manifest","verifier","price_in","price_out","timeout","lease","slots":[{"weights","share"}]}; prices as decimal strings.
Json ModelParamsJson(const chain::Model& model);
// Also checks the ranges that the Registry accepts.
Result<chain::Model> ModelParamsFromJson(const Json& json);

}  // namespace teetee::protocol
