// The checks of the channel beside those of the evidence (attest/check.h). A refusal reads "check
// ID: what was found".
#pragma once

#include <string>
#include <string_view>

#include "attest/check.h"

namespace teetee::transport {

namespace check {
using attest::Check;
inline constexpr Check kTls{"channel.tls", "mutual TLS 1.3 with the channel's protocol name",
                            Code::kUnauthenticated};
inline constexpr Check kCertificate{"channel.certificate",
                                    "self-signed, in date, with evidence for its own key",
                                    Code::kUnauthenticated};
inline constexpr Check kFrame{"channel.frame", "frames are well formed and within their bound",
                              Code::kInvalidArgument};
inline constexpr Check kOrder{
    "channel.order",
    "each message comes when it may, and no application frame before both verdicts",
    Code::kFailedPrecondition};
inline constexpr Check kSignature{"channel.signature",
                                  "the signing key of the claims signed the TLS exporter",
                                  Code::kUnauthenticated};
inline constexpr Check kIdentity{"channel.identity", "the peer stays who it was",
                                 Code::kUnauthenticated};
inline constexpr Check kExpected{"channel.expected",
                                 "key, slot and model are the ones that were asked for",
                                 Code::kPermissionDenied};
inline constexpr Check kRate{"channel.rate", "evidence is asked for no more often than allowed",
                             Code::kResourceExhausted};
inline constexpr Check kDeadline{"channel.deadline", "handshake and fresh evidence come in time",
                                 Code::kDeadlineExceeded};
}  // namespace check

// The id of the check that an error names, of either table; "internal" where it names none.
// [a-z0-9._], at most 64 bytes: it is told to the peer.
std::string RefusedCheckId(const Error& error);

}  // namespace teetee::transport
