// The JSON that the gateway answers with: docs/formats/http-api.md, table "Gateway". Pure.
#pragma once

#include "gateway/directory.h"
#include "gateway/store.h"
#include "net/http.h"

namespace teetee::gateway {

// OpenAI's error object with the status of the error's code; 429 and 503 carry Retry-After.
net::HttpResponse ErrorResponse(const Error& error, std::string_view param = "");
// For status codes that no Code has (405).
net::HttpResponse ErrorResponse(int status, std::string_view message);

Json ModelItem(const Directory& directory, const ModelRecord& model);  // of OpenAI's list
Json NodeItem(const Directory& directory, const NodeRecord& node);
Json ModelDetail(const Directory& directory, const ModelRecord& model);
Json NodeList(const Directory& directory, const ModelRecord& model, uint64_t block);
Json ReceiptAnswer(const ReceiptState& state);
Json LineAnswer(uint64_t last_seq, const std::vector<MinedBatch>& batches);

}  // namespace teetee::gateway
