// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.36;

/// @notice A shard's place in a model.
struct Slot {
    bytes32 weights; // hash of the shard's tensors; no two slots of a model may share it
    uint32 share; // weight of the slot in the split of revenue, > 0
}

/// @notice Everything that a model is. Its id is `keccak256(abi.encode(model))`, so nothing of it can ever change.
struct Model {
    bytes32 manifest; // hash of configuration, tokenizer and split: facts of the model, not of the code that runs it
    address verifier; // IQuoteVerifier that decides which TEEs may join
    uint64 priceIn; // wei per prompt token
    uint64 priceOut; // wei per generated token
    uint32 timeout; // seconds, least time between opening a query and its deadline: 1 s to 12 h
    uint32 lease; // seconds that one quote admits a node for: 1 h to 90 days
    Slot[] slots; // 1 to 64, in the order in which a token passes them; slot 0 is the head's
}

/// @title Models, and the TEEs that host their shards
/// @notice Knows which models exist and which keys are admitted to which slot. Holds no ETH, has no owner, cannot be
/// upgraded or paused. Anyone may add a model; anyone with an accepted quote may join.
///
/// Words. A *node* is a TEE, named by the address of its signing *key*. Its *host* is the account that registered it
/// and is paid for it. A *family* is what admission hangs on: models that differ in prices, shares or timeout only
/// share a family, hence their nodes.
///
/// Assumptions. (1) Admission is worth exactly what the model's verifier is worth: clients must look at
/// `Model.verifier` before they trust a model. (2) `blockhash` reaches 256 blocks back: evidence must be made and sent
/// in that time. On chains where `block.number` is not the chain's own, this contract does not work.
interface IRegistry {
    // ---------------------------------------------------------------- events

    event ModelAdded(bytes32 indexed model, bytes26 indexed family, Model params);
    event NodeJoined(
        address indexed key,
        address indexed host,
        bytes26 indexed family,
        uint8 slot,
        bytes32 model,
        bytes32 quote,
        string url,
        uint40 until
    );
    event NodeLeft(address indexed key);
    event UrlSet(address indexed key, string url);

    // ---------------------------------------------------------------- errors

    /// @dev The same model is there already.
    error AlreadyAdded();
    /// @dev A parameter of the model is out of its range, or two slots have equal weights.
    error BadModel();
    /// @dev No such model, or no such slot in it.
    error UnknownModel();
    /// @dev The block is not among the last 256, so its hash proves nothing about the evidence's age.
    error StaleBlock();
    /// @dev The quote was made for another host, key, slot, block, registry or chain.
    error WrongReportData();
    /// @dev The key already has another host, family or slot; these are fixed for its life.
    error KeyTaken();
    /// @dev The sender is not the node's host.
    error NotHost();

    // ---------------------------------------------------------------- models

    /// @notice Registers a model. Anyone may; nothing about a registered model can be changed or removed.
    /// @dev Refuses: 0 or more than 64 slots, a zero share, shares whose sum passes uint32, equal weights in two slots
    /// (one quote would fit both), verifier 0, timeout 0 or over 12 h, lease under 1 h or over 90 days.
    /// @return id keccak256(abi.encode(m))
    function addModel(Model calldata m) external returns (bytes32 id);

    // ---------------------------------------------------------------- nodes

    /// @notice Admits a TEE to a slot for the model's lease, or renews its lease; the sender becomes its host.
    /// @dev The report data must be `keccak256(abi.encode(chainid, registry, sender, key, weights, blockhash))`, so
    /// nobody can use a quote that they see in the pool: it names its host. A key keeps its host, family and slot for
    /// life; a host may hold any number of keys, and any number of keys may hold one slot. Joining after `leave` is
    /// a renewal.
    /// @param model Any model of the family; its verifier judges.
    /// @param slot The key's place, below the model's number of slots.
    /// @param key Address of the signing key that was made inside the TEE.
    /// @param url Where users and other nodes reach the node. Not checked; the TEE proves itself on every connection.
    /// @param quote Evidence in the verifier's format. The chain keeps its hash, the bytes stay in calldata.
    /// @param blockNumber One of the last 256 blocks, whose hash is in the report data.
    function join(
        bytes32 model,
        uint8 slot,
        address key,
        string calldata url,
        bytes calldata quote,
        uint256 blockNumber
    ) external;

    /// @notice Moves a node to another address on the net. Host only.
    function setUrl(address key, string calldata url) external;

    /// @notice Ends the lease at once, and with it the host's free access. Host only.
    /// @dev What the node has signed can be settled for GRACE from now on.
    /// @param other Another node of the same host and family, whose lease carries the free access on; or 0.
    function leave(address key, address other) external;

    // ---------------------------------------------------------------- reading

    /// @notice Seconds after its lease during which a key may still settle.
    function GRACE() external view returns (uint256);

    /// @notice Whether a key may serve: its lease runs. For clients, gateways and plans.
    function isLive(bytes32 model, uint8 slot, address key) external view returns (bool);

    /// @notice Whether a key's signature still counts in a settlement: its lease or the GRACE after it runs.
    function isAdmitted(bytes32 model, uint8 slot, address key) external view returns (bool);

    /// @notice Who is paid for a key; 0 for an unknown key. Never changes once set.
    function hostOf(address key) external view returns (address);

    /// @notice A host uses the models of a family for free while this is not before now.
    function hostUntil(bytes32 model, address host) external view returns (uint40);

    /// @notice Seconds; 0 for an unknown model.
    function timeoutOf(bytes32 model) external view returns (uint32);

    /// @notice What a settlement needs: wei per token, and the prefix sums of the slots' shares.
    /// @return priceIn wei per prompt token
    /// @return priceOut wei per generated token
    /// @return upTo one entry a slot: the sum of the shares up to and with it; empty for an unknown model
    function terms(bytes32 model) external view returns (uint64 priceIn, uint64 priceOut, uint32[] memory upTo);

    /// @notice A model's parameters except its slots; all zero for an unknown model.
    function info(bytes32 model)
        external
        view
        returns (
            bytes26 family,
            uint32 lease,
            uint64 priceIn,
            uint64 priceOut,
            uint32 timeout,
            address verifier,
            bytes32 manifest
        );

    /// @notice All about a node; all zero for an unknown key. `quote` is the hash of the latest quote.
    function node(address key)
        external
        view
        returns (bytes26 family, uint40 until, uint8 slot, address host, bytes32 quote, string memory url);
}
