// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

/// @title Judge of attestation quotes
/// @notice Decides which quotes are good for a manifest. A model names its verifier once and for ever; everything that
/// needs judgement (TCB policy, code measurements, revocation) lives behind this function and nowhere else.
interface IQuoteVerifier {
    /// @dev Reverts unless the quote, its TCB and the code that it measures are acceptable for `manifest`.
    /// The Registry calls it before it writes anything, and trusts nothing but the answer.
    /// @param quote Evidence in the verifier's own format.
    /// @param manifest Hash of the model's facts, as in `Model.manifest`.
    /// @return reportData The first 32 bytes of the quote's report data.
    function verify(bytes calldata quote, bytes32 manifest) external returns (bytes32 reportData);
}
