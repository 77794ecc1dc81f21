// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The targets stand in the order in which data walks through them: first the floor (the only
// targets that import C), then the line, then the door. A target of the line imports only
// targets above it in this file.

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "gambit",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "gambit", targets: ["gambit"]),
    // For Swift programs that open and run bundles.
    .library(name: "SparseBundle", targets: ["SparseBundle", "Checkpoints", "ThresholdSolver", "Tokenizers"]),
    .library(name: "SparseRuntime", targets: ["SparseRuntime", "SparseBundle", "Tokenizers"]),
    // For other languages: Sources/RuntimeLibrary/gambit.h.
    .library(name: "GambitRuntime", type: .dynamic, targets: ["RuntimeLibrary"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    // The floor.
    .target(name: "Files", dependencies: [crypto]),
    .target(name: "Signatures", dependencies: ["Files", crypto]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(name: "HDF5", dependencies: ["CHDF5", "CZlib", "Files"]),
    .systemLibrary(name: "CZstandard", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .target(name: "Zstandard", dependencies: ["CZstandard", "Files"]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "Gzip", dependencies: ["CZlib"]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .target(name: "CVectorMath"),
    .target(
      name: "LinearAlgebra",
      dependencies: ["CVectorMath", .target(name: "COneDNN", condition: .when(platforms: [.linux]))],
      linkerSettings: [.linkedFramework("Accelerate", .when(platforms: [.macOS]))]),
    .target(name: "CHistograms"),
    .target(name: "Histograms", dependencies: ["CHistograms"]),
    .target(name: "CSparseKernels", dependencies: ["CVectorMath"]),
    .target(name: "SparseKernels", dependencies: ["CSparseKernels"]),

    // The line.
    .target(name: "Corpus", dependencies: ["Files", "HDF5", "Zstandard", "Gzip", crypto]),
    .target(name: "Tokenizers"),
    .target(name: "ChatTemplates"),
    .target(name: "Checkpoints", dependencies: ["Tokenizers", "Files", "LinearAlgebra", crypto]),
    .target(name: "Transformer", dependencies: ["Checkpoints", "Files", "LinearAlgebra"]),
    .target(
      name: "ActivationStatistics",
      dependencies: ["Files", "HDF5", "Histograms", "LinearAlgebra", "Checkpoints", "Transformer"]),
    .target(
      name: "ThresholdSolver", dependencies: ["LinearAlgebra", "Checkpoints", "Transformer", "ActivationStatistics"]),
    .target(
      name: "SparseBundle",
      dependencies: [
        "Files", "Signatures", "Zstandard", "LinearAlgebra", "Tokenizers", "Checkpoints", "ThresholdSolver", crypto,
      ]),
    .target(
      name: "SparseRuntime",
      dependencies: [
        "LinearAlgebra", "SparseKernels", "Checkpoints", "Transformer", "ThresholdSolver", "SparseBundle",
      ]),
    .target(
      name: "Evaluation",
      dependencies: [
        "LinearAlgebra", "Tokenizers", "Checkpoints", "Transformer", "ActivationStatistics", "ThresholdSolver",
        "SparseBundle",
      ]),
    .target(
      name: "Interchange",
      dependencies: [
        "Files", "Gzip", "LinearAlgebra", "Tokenizers", "Checkpoints", "ActivationStatistics", "ThresholdSolver",
        "SparseBundle", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["ONNX/onnx.proto"],
      // What goes along with a hand-off is a part of the program: it needs no files beside it.
      resources: [.embedInCode("Transformers/modeling_gambit.py")]),
    .target(name: "Reports"),
    .target(
      name: "Pipeline",
      dependencies: [
        "ChatTemplates", "Files", "LinearAlgebra", "Corpus", "Tokenizers", "Checkpoints", "Transformer",
        "ActivationStatistics", "ThresholdSolver", "SparseBundle", "SparseKernels", "SparseRuntime", "Evaluation",
        "Interchange", "Reports", "Signatures", "Yams", crypto,
      ]),

    // The door.
    .executableTarget(
      name: "gambit",
      dependencies: [
        "Files", "HDF5", "Corpus", "Tokenizers", "Checkpoints", "ActivationStatistics", "ThresholdSolver",
        "SparseBundle", "SparseRuntime", "Evaluation", "Interchange", "Reports", "Signatures", "Pipeline",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // The side door, for C.
    .target(
      name: "RuntimeLibrary", dependencies: ["Tokenizers", "SparseBundle", "SparseRuntime"], exclude: ["gambit.h"]),

    // A stranger's program: it sees what is public, and nothing else.
    .executableTarget(
      name: "continue", dependencies: ["Tokenizers", "SparseBundle", "SparseRuntime"],
      path: "Documentation/examples/continue-swift", packageAccess: false),

    // Tests, one target a source target, and what they share.
    .target(
      name: "TestSupport",
      dependencies: ["Checkpoints", "Transformer", "ActivationStatistics", "ThresholdSolver", "SparseBundle"],
      path: "Tests/Support"),
    .testTarget(name: "FilesTests", dependencies: ["Files"]),
    .testTarget(name: "SignaturesTests", dependencies: ["Signatures", "Files"], resources: [.copy("Fixtures")]),
    .testTarget(name: "HDF5Tests", dependencies: ["HDF5", "Files"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ZstandardTests", dependencies: ["Zstandard", "Gzip", "Files"], resources: [.copy("Fixtures")]),
    .testTarget(name: "LinearAlgebraTests", dependencies: ["LinearAlgebra", "TestSupport"]),
    .testTarget(name: "HistogramsTests", dependencies: ["Histograms", "TestSupport"]),
    .testTarget(
      name: "SparseKernelsTests", dependencies: ["SparseKernels", "TestSupport"], exclude: ["Sanitized"]),
    .testTarget(name: "CorpusTests", dependencies: ["Corpus", "Files"], resources: [.copy("Fixtures")]),
    .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers", "Checkpoints"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ChatTemplatesTests", dependencies: ["ChatTemplates"], resources: [.copy("Fixtures")]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Files"], resources: [.copy("Fixtures")]),
    .testTarget(name: "TransformerTests", dependencies: ["Transformer", "Files", "TestSupport"]),
    .testTarget(name: "ActivationStatisticsTests", dependencies: ["ActivationStatistics", "HDF5", "TestSupport"]),
    .testTarget(name: "ThresholdSolverTests", dependencies: ["ThresholdSolver", "TestSupport"]),
    .testTarget(name: "SparseBundleTests", dependencies: ["SparseBundle", "Zstandard", "Files", "TestSupport"]),
    .testTarget(name: "SparseRuntimeTests", dependencies: ["SparseRuntime", "SparseKernels", "TestSupport"]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "TestSupport"]),
    .testTarget(
      name: "InterchangeTests", dependencies: ["Interchange", "TestSupport"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ReportsTests", dependencies: ["Reports"]),
    .testTarget(
      name: "PipelineTests",
      dependencies: [
        "Pipeline", "Files", "Corpus", "ActivationStatistics", "SparseBundle", "Interchange", "Reports", "TestSupport",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// Its main is libFuzzer's, so that only `make fuzz` can link it.
if ProcessInfo.processInfo.environment["GAMBIT_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Files", "Signatures", "HDF5", "Zstandard", "Gzip", "Corpus", "Tokenizers", "ChatTemplates", "Checkpoints",
        "ActivationStatistics", "ThresholdSolver", "SparseBundle", "Evaluation", "Interchange", "Pipeline",
        "TestSupport",
      ],
      path: "Tests/Fuzzing", exclude: ["Seeds", "make_seeds.py"]))
}

for target in package.targets where target.type != .system {
  target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error, .when(platforms: [.linux]))]
}
