import Checkpoints
import Files
import TestSupport
import Testing
import ThresholdSolver

struct ThresholdsFileTests {
  let folder = TemporaryFolder()

  @Test(arguments: [false, true], [SolverRequest.Method.cats, .chess])
  func whatWasWrittenIsReadBack(attention: Bool, method: SolverRequest.Method) throws {
    let thresholds = Thresholds(
      request: try SolverRequest(method: method, attention: attention, sparsity: 0.1 + 0.2),
      layers: [[0, 1.5, .infinity], [.leastNonzeroMagnitude, 3, 0.1]].map {
        .init(ffn: $0, query: attention ? [0.25] : nil, output: attention ? [0.5, 0.75] : nil)
      },
      realised: .init(ffn: 1 / 3, query: attention ? 0.1 : nil, output: attention ? 0.7 : nil),
      modelHash: "m", corpusHash: "c", statisticsHash: "\"s\"\n")
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
    #expect(try thresholds.encoded() == thresholds.encoded())
  }

  @Test(arguments: [MaskSource.gate, .up, .perChannel], [0, 0.1])
  func sourceAndCutsAreReadBack(_ source: MaskSource, cut: Double) throws {
    let thresholds = Thresholds(
      request: try SolverRequest(
        method: .energy, source: source, sourceShare: source == .perChannel && cut > 0 ? 0.25 : nil, secondCut: cut,
        inputCut: 2 * cut, attention: false, sparsity: 0.5),
      layers: [.init(ffn: [1, 2], product: cut > 0 ? [0.5] : nil, input: cut > 0 ? [0.25] : nil)],
      realised: .init(ffn: 0.4, down: cut > 0 ? 0.6 : nil, input: cut > 0 ? 0.2 : nil), modelHash: "m", corpusHash: "c",
      statisticsHash: "s")
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
  }

  @Test(arguments: [SolverRequest.Method.magnitude, .wina], [false, true])
  func inputThresholdsAreReadBack(_ method: SolverRequest.Method, attention: Bool) throws {
    let thresholds = try inputThresholds(method, attention: attention)
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
  }

  /// A method's file has the tensors of that method, of all layers.
  @Test func missingOrForeignInputThresholdsAreErrors() throws {
    let changes: [(inout Thresholds) -> Void] = [
      { $0.layers[0].key = nil }, { $0.layers[0].value = nil }, { $0.layers[1].value = nil },
      { $0.layers[0].otherInput = nil }, { $0.layers[1].otherInput = nil },
      { for layer in 0..<2 { $0.layers[layer].otherInput = nil } },
      { for layer in 0..<2 { $0.layers[layer].product = nil } },
      { for layer in 0..<2 { $0.layers[layer].input = nil } },
      { for layer in 0..<2 { $0.layers[layer].key = nil } },
      { $0.request.attention = false }, { $0.request.method = .cats },
    ]
    for (index, change) in changes.enumerated() {
      var bad = try inputThresholds(.magnitude, attention: true)
      change(&bad)
      try writeAtomically(bad.encoded(), to: folder.path("t.safetensors"))
      #expect(throws: (any Error).self, "change \(index)") {
        try Thresholds(SafetensorsFile(path: folder.path("t.safetensors")))
      }
    }
  }

  private func inputThresholds(_ method: SolverRequest.Method, attention: Bool) throws -> Thresholds {
    let layers = [Float(0.25), .infinity].map { t in
      Thresholds.Layer(
        ffn: [0, 0], query: attention ? [t] : nil, key: attention ? [t, 1] : nil, value: attention ? [2, t] : nil,
        output: attention ? [3] : nil, product: [t, 4], input: [5, t], otherInput: [t])
    }
    return Thresholds(
      request: try SolverRequest(method: method, attention: attention, sparsity: 0.5), layers: layers,
      realised: .init(
        ffn: 0, down: 0.1, input: 0.2, otherInput: 0.3, query: attention ? 0.4 : nil, key: attention ? 0.5 : nil,
        value: attention ? 0.6 : nil, output: attention ? 0.7 : nil),
      modelHash: "m", corpusHash: "c", statisticsHash: "s")
  }

  @Test(arguments: [nil, 0, 7.5, 0.1, .leastNonzeroMagnitude] as [Float?])
  func headMarginIsReadBack(_ margin: Float?) throws {
    let thresholds = try TinyModel.llama.open().someGradedThresholds(headMargin: margin)
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    let read = try Thresholds(SafetensorsFile(path: folder.path("t.safetensors")))
    #expect(read == thresholds && read.headMargin == margin && read.request.head == (margin != nil))
  }

  @Test(arguments: [-1, -.leastNonzeroMagnitude, .nan, .infinity] as [Float])
  func badHeadMarginIsAnError(_ margin: Float) throws {
    let checkpoint = try TinyModel.llama.open()
    let thresholds = try checkpoint.someGradedThresholds(headMargin: margin)
    #expect(throws: SolverError.self) { try reread(thresholds) }
    #expect(throws: SolverError.self) { try thresholds.check(checkpoint.configuration) }
  }

  /// Which weights thresholds grade is read back; those that grade any have to say it, and others must not.
  @Test func formatInPlanesIsReadBack() throws {
    let checkpoint = try TinyModel.llama.open()
    for format in PlaneFormat.allCases {
      let thresholds = try checkpoint.someGradedThresholds(format)
      #expect(try reread(thresholds) == thresholds)
    }
    var (silent, wrong) = (try checkpoint.someGradedThresholds(), try checkpoint.someThresholds())
    (silent.planes, wrong.planes) = (nil, .int8)
    for thresholds in [silent, wrong] {
      #expect(throws: SolverError.self) { try reread(thresholds) }
    }
  }

  @Test func headMarginOfOtherMethodsIsAnError() throws {
    let checkpoint = try TinyModel.llama.open()
    var thresholds = try checkpoint.someThresholds()
    thresholds.headMargin = 1
    thresholds.realised.fullHead = 0.5
    #expect(throws: SolverError.self) { try reread(thresholds) }
    #expect(throws: SolverError.self) { try thresholds.check(checkpoint.configuration) }
  }

  @Test func allocationIsReadBack() throws {
    let thresholds = Thresholds(
      request: try SolverRequest(method: .chess, attention: true, allocation: .global, sparsity: 0.5),
      layers: [.init(ffn: [1, 2], query: [0.25], output: [0.5])],
      realised: .init(ffn: 0.6, query: 0.2, output: 0.3), modelHash: "m", corpusHash: "c", statisticsHash: "s",
      allocationMeasuredOn: ProbedText(text: ProbedText.builtIn, tokens: 1024))
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    let file = try SafetensorsFile(path: folder.path("t.safetensors"))
    #expect(try Thresholds(file) == thresholds)
    #expect(file.header.metadata["allocation_measured_on"] == "built-in")
    #expect(file.header.metadata["allocation_measured_on_tokens"] == "1024")
  }

  @Test func greedyAllocationIsReadBackWithoutAttentionToo() throws {
    let thresholds = Thresholds(
      request: try SolverRequest(method: .magnitude, attention: false, allocation: .greedy, sparsity: 0.5),
      layers: [.init(ffn: [0, 0], product: [1], input: [0.25], otherInput: [0.5])],
      realised: .init(ffn: 0, down: 0.7, input: 0.2, otherInput: 0.6), modelHash: "m", corpusHash: "c",
      statisticsHash: "s")
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
  }

  @Test(arguments: 0..<16)
  func optionalPartsAreReadBack(_ parts: Int) throws {
    let thresholds = Thresholds(
      request: try SolverRequest(method: .chess, attention: false, sparsity: 0.5),
      layers: [[true, false, true], [false, false, true]].map { upDecides in
        .init(
          ffn: [1, 2, 3], upDecides: parts & 1 != 0 ? upDecides : nil,
          product: parts & 2 != 0 ? [0, .infinity, 0.1] : nil,
          input: parts & 8 != 0 ? [0.5] : nil, bias: parts & 4 != 0 ? [-1, .leastNonzeroMagnitude] : nil)
      },
      realised: .init(ffn: 0.5), modelHash: "m", corpusHash: "c", statisticsHash: "s")
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    #expect(try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))) == thresholds)
  }

  @Test func badOptionalPartsAreErrors() {
    let name = "layers.0.ffn"
    for tensor in [
      SafetensorsTensor(name: "\(name).source", shape: [2], values: [0, 2] as [UInt8]),
      .init(name: "\(name).source", shape: [2], values: [0, 1] as [Float]),
      .init(name: "\(name).product_threshold", shape: [2], values: [1, -1] as [Float]),
      .init(name: "\(name).product_threshold", shape: [0], values: [] as [Float]),
      .init(name: "\(name).input_threshold", shape: [1], values: [-0.5] as [Float]),
      .init(name: "\(name).bias", shape: [2], values: [1, .nan] as [Float]),
      .init(name: "\(name).bias", shape: [2], values: [1, .infinity] as [Float]),
      .init(name: "layers.1.ffn.bias", shape: [2], values: [1, 2] as [Float]),
    ] {
      #expect(throws: SolverError.self, "\(tensor)") { try read { _, tensors in tensors.append(tensor) } }
    }
    #expect(throws: Never.self) {
      try read { _, tensors in tensors.append(.init(name: "\(name).bias", shape: [1], values: [-1] as [Float])) }
    }
  }

  @Test func optionalPartsOfAnotherModelAreRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    let good = try checkpoint.someThresholds(isExtended: true)
    #expect(throws: Never.self) { try good.check(checkpoint.configuration) }
    let changes: [(inout Thresholds.Layer) -> Void] = [
      { $0.upDecides?.removeLast() }, { $0.product?.removeLast() }, { $0.bias?.append(0) }, { $0.upDecides = nil },
      { $0.product = nil }, { $0.bias = nil },
    ]
    for change in changes {
      var bad = good
      change(&bad.layers[2])
      #expect(throws: SolverError.self) { try bad.check(checkpoint.configuration) }
    }
  }

  @Test func offsetsOfAnotherModelAreRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    let good = try checkpoint.someGradedThresholds()
    #expect(throws: Never.self) { try good.check(checkpoint.configuration) }
    let changes: [(inout Thresholds) -> Void] = [
      { $0.layers[2].offsets?.gate.removeLast() }, { $0.layers[2].offsets?.up[3] = .nan },
      { $0.layers[2].offsets = nil },
      { $0.headOffsets?.append(0) }, { $0.headOffsets?[5] = .infinity }, { $0.headMargin = nil },
    ]
    for change in changes {
      var bad = good
      change(&bad)
      #expect(throws: SolverError.self) { try bad.check(checkpoint.configuration) }
      try writeAtomically(bad.encoded(), to: folder.path("t.safetensors"))
      #expect(throws: (any Error).self) {
        try Thresholds(SafetensorsFile(path: folder.path("t.safetensors"))).check(checkpoint.configuration)
      }
    }
    var foreign = try checkpoint.someThresholds()
    foreign.layers[0].offsets = good.layers[0].offsets
    #expect(throws: SolverError.self) { try foreign.check(checkpoint.configuration) }
  }

  @Test func inputThresholdsOfAnotherModelAreRefused() throws {
    let checkpoint = try TinyModel.llama.open()
    let good = try checkpoint.someInputThresholds()
    #expect(throws: Never.self) { try good.check(checkpoint.configuration) }
    let changes: [(inout Thresholds.Layer) -> Void] = [
      { $0.key = [1, 2] }, { $0.value = [] }, { $0.otherInput?.removeLast() }, { $0.key = nil }, { $0.value = nil },
      { $0.otherInput = nil },
    ]
    for change in changes {
      var bad = good
      change(&bad.layers[2])
      #expect(throws: SolverError.self) { try bad.check(checkpoint.configuration) }
    }
  }

  static let metadata = [
    "format": "gambit-thresholds", "version": "1", "method": "chess", "norm": "rms", "sparsity": "0.5",
    "attention": "off", "layers": "1", "model_sha256": "m", "corpus_sha256": "c", "statistics_sha256": "s",
    "realised_ffn": "0.5",
  ]

  @Test func goodFileIsTaken() throws { #expect(try read().layers[0].ffn == [1, 2]) }

  @Test(
    arguments: metadata.keys.filter { $0 != "norm" }.map { ($0, nil) } + [
      ("format", "gambit-weights"), ("version", "2"), ("method", "teal"), ("norm", "max"), ("sparsity", "nan"),
      ("sparsity", "1.5"), ("sparsity", "half"), ("attention", "maybe"), ("attention", "on"), ("layers", "0"),
      ("layers", "-1"), ("layers", "2"), ("layers", "9223372036854775807"), ("realised_ffn", "-0.1"),
      ("source", "down"), ("source", "per-channel"), ("source_share", "0.5"), ("second_cut", "0.7"),
      ("realised_down", "2"), ("allocation", "local"), ("allocation", "uniform"), ("allocation", "global"),
      ("allocation", "greedy"), ("allocation_measured_on", "built-in"), ("allocation_measured_on_tokens", "9"),
      ("head_measured_on", "built-in"), ("head_measured_on_tokens", "9"),
    ])
  func badMetadataIsAnError(key: String, value: String?) {
    #expect(throws: (any Error).self) { try read { metadata, _ in metadata[key] = value } }
  }

  @Test(
    arguments: [
      [], [-1], [-.leastNonzeroMagnitude, 1], [.nan, 1], [1, -.infinity],
    ] as [[Float]])
  func badThresholdsAreAnError(values: [Float]) {
    #expect(throws: SolverError.self) {
      try read { _, tensors in tensors = [.init(name: "layers.0.ffn.threshold", shape: [values.count], values: values)]
      }
    }
  }

  @Test func missingOrSurplusTensorIsAnError() {
    #expect(throws: (any Error).self) {
      try read { _, tensors in tensors = [.init(name: "x", shape: [1], values: [Float(1)])] }
    }
    #expect(throws: SolverError.self) {
      try read { _, tensors in tensors.append(.init(name: "x", shape: [1], values: [Float(1)])) }
    }
    #expect(throws: (any Error).self) {
      try read { _, tensors in tensors = [.init(name: "layers.0.ffn.threshold", shape: [2], values: [Int32(1), 2])] }
    }
  }

  @Test func thresholdsOfAnotherModelAreRefused() throws {
    let model = try TinyModel.llama.open().configuration
    func thresholds(layers: Int, ffn: Int, query: Int, output: Int) throws -> Thresholds {
      let layer = Thresholds.Layer(
        ffn: [Float](repeating: 1, count: ffn), query: [Float](repeating: 1, count: query),
        output: [Float](repeating: 1, count: output))
      return Thresholds(
        request: try SolverRequest(method: .cats, attention: true, sparsity: 0.5),
        layers: [Thresholds.Layer](repeating: layer, count: layers), realised: .init(ffn: 0.5, query: 0.5, output: 0.5),
        modelHash: "m", corpusHash: "c", statisticsHash: "s")
    }
    for (query, output) in [(1, 1), (64, 64)] {
      #expect(throws: Never.self) { try thresholds(layers: 3, ffn: 160, query: query, output: output).check(model) }
    }
    for (layers, ffn, query, output) in [(2, 160, 1, 1), (4, 160, 1, 1), (3, 1, 1, 1), (3, 160, 2, 1), (3, 160, 1, 63)]
    {
      #expect(throws: SolverError.self) {
        try thresholds(layers: layers, ffn: ffn, query: query, output: output).check(model)
      }
    }
  }

  /// What a file of them holds.
  @discardableResult
  private func reread(_ thresholds: Thresholds) throws -> Thresholds {
    try writeAtomically(thresholds.encoded(), to: folder.path("t.safetensors"))
    return try Thresholds(SafetensorsFile(path: folder.path("t.safetensors")))
  }

  /// Reads a small good file, but for what `change` does to it.
  @discardableResult
  private func read(
    _ change: (inout [String: String], inout [SafetensorsTensor]) -> Void = { _, _ in }
  ) throws -> Thresholds {
    var metadata = Self.metadata
    var tensors = [SafetensorsTensor(name: "layers.0.ffn.threshold", shape: [2], values: [Float(1), 2])]
    change(&metadata, &tensors)
    try writeAtomically(SafetensorsWriter.encode(tensors, metadata: metadata), to: folder.path("t.safetensors"))
    return try Thresholds(SafetensorsFile(path: folder.path("t.safetensors")))
  }
}
