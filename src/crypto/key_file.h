// Secrets in files: 0x and 64 hexadecimal digits on one line, readable by their owner only. For
// development machines and wallets; a TEE seals its keys by other means. Contents are never
// printed, and no error quotes them.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/secp256k1.h"

namespace teetee::crypto {

// Refuses a symbolic link, a file of another user, and any permission for group or others:
// kPermissionDenied, with the command that mends it. kNotFound if absent, kDataLoss if the content
// is not such a secret.
Result<Secret<32>> LoadSecretFile(const std::string& path);

// Writes a new file with mode 0600; the whole content appears at once or not at all.
// kFailedPrecondition if there is something at the path already: an existing key is never replaced.
Status CreateSecretFile(const std::string& path, const Secret<32>& secret);

Result<SigningKey> LoadSigningKey(const std::string& path);
Result<SigningKey> CreateSigningKey(const std::string& path);        // a fresh key
Result<SigningKey> LoadOrCreateSigningKey(const std::string& path);  // safe if two processes race

}  // namespace teetee::crypto
