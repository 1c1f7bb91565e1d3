// SPDX-License-Identifier: Apache-2.0
// Keys and signed texts with known answers. The keys are those of RFC 8032 section 7.1, TEST 1 to
// 3: everybody has their private halves.
#pragma once

#include <string_view>

namespace lineside::trust::vectors {

struct Ed25519Key {
  std::string_view seed_hex;
  std::string_view public_hex;
  std::string_view keyid;        // SHA-256 of the canonical TUF key object
  std::string_view spki_sha256;  // SHA-256 of the DER SubjectPublicKeyInfo
};

inline constexpr Ed25519Key kKeys[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916",
     "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "eaf1e23f6c823132f437a2eaa299a7950f7386631deff273db195bbd26209e2b",
     "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "e45b8d1fab21a7a7550adbca559eade41e36a398f14a577f8766ec32bf237101",
     "8d39ba50abe50f77b6bb8ae7b6927aff7ffbeba35ad2837c0e51e82bcbcc60d5"},
};

// A TUF timestamp's "signed" part in canonical form, with the signatures of keys 0 and 1.
inline constexpr std::string_view kTimestampCanonical =
    R"({"_type":"timestamp","expires":"2030-01-01T00:00:00Z","meta":{"snapshot.json":{"hashes":)"
    R"({"sha256":"0000000000000000000000000000000000000000000000000000000000000000"},"length":123,)"
    R"("version":1}},"spec_version":"1.0.34","version":1})";
inline constexpr std::string_view kTimestampSignatures[] = {
    "45d8d7f2009ce1416e1e4dc9035325f59c7f33259ee82d5c2814b0aafb8bd6360868b1166b823c2604398fc6b4953d"
    "6d"
    "fe8b5e6dc284382ccd81970ff292ae05",
    "1db8cfa2deb2e454c925dc44323d086321d45f7efdeeba58ace414634738cb005b91446205fef663ef1e2648bfad50"
    "a8"
    "c65a5b23cd254c75166d01caa528e10b"};

inline constexpr std::string_view kHelloEnvelope =
    R"({"payloadType":"http://example.com/HelloWorld","payload":"aGVsbG8gd29ybGQ=","signatures":[)"
    R"({"keyid":"74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916","sig":)"
    R"("4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw=="}]})";
inline constexpr std::string_view kHelloType = "http://example.com/HelloWorld";

// The type's length is 21 bytes of UTF-8, not 20 characters.
inline constexpr std::string_view kEmptyBodyEnvelope =
    R"({"payloadType":"http://example.com/é","payload":"","signatures":[)"
    R"({"keyid":"74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916","sig":)"
    R"("P2+kJay2ma7rUfMvWHTuegJzwG0PVTjbVO9sH6e2IONEz0sdJPPRVgOtnuKb+Xj3SKLpV940TBPs2ZkbKmhaBQ=="}]})";
inline constexpr std::string_view kEmptyBodyType = "http://example.com/é";

// An in-toto test-result signed by keys 0 and 1.
inline constexpr std::string_view kTwoSignersEnvelope =
    R"({"payloadType":"application/vnd.in-toto+json","payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90b)"
    R"(y5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoiYnVuZGxlcy9saW5lMy12aXNpb24vNC4yLjAvbWF)"
    R"(uaWZlc3QuanNvbiIsImRpZ2VzdCI6eyJzaGEyNTYiOiJjMWIxMGExMGEyMzAxNjY0NWVmOWE2MGE3MDhkYmQ4NzM2O)"
    R"(DQxODJkNGY0ODAxZWY3ODQwMTJjZWJjYmVkNDE5In19XSwicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vaW4tdG90by5)"
    R"(pby9hdHRlc3RhdGlvbi90ZXN0LXJlc3VsdC92MC4xIiwicHJlZGljYXRlIjp7InJlc3VsdCI6IlBBU1NFRCIsImNvb)"
    R"(mZpZ3VyYXRpb24iOlt7Im5hbWUiOiJpbmZlcmVuY2UtY2hlY2suanNvbiIsImRpZ2VzdCI6eyJzaGEyNTYiOiJhYmF)"
    R"(iYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiIn19XSwic)"
    R"(GFzc2VkVGVzdHMiOlsiaW1wb3J0LW51bXB5IiwibW9kZWwtbG9hZCIsImdvbGRlbi1vdXRwdXQiXSwid2FybmVkVGV)"
    R"(zdHMiOltdLCJmYWlsZWRUZXN0cyI6W119fQ==","signatures":[{"keyid":"74c181c7ad8a0855d4b55e44d2b)"
    R"(a87aabdddb196832571f15f92fece332e4916","sig":"L9svBJgfkeskw0vIcIksxJte0mmCQT7g8si0e1uIfdD6)"
    R"(SE9favWtp5Abg3T2DBQBOpO4VdWM1fUcwn4/rNKtBw=="},{"keyid":"eaf1e23f6c823132f437a2eaa299a7950)"
    R"(f7386631deff273db195bbd26209e2b","sig":"cCTZqkHIANjqxnsWvrIBwIwDIr59+nKI1L9KvXfLZyVltsU4M5)"
    R"(TMR5SFYOkVf+eRzsAdGYfIYux8oDKLgLy7CA=="}]})";

}  // namespace lineside::trust::vectors
