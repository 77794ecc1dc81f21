import Checkpoints
import Transformer

// The file: per layer `l` the float32 tensors `layers.l.ffn.threshold` [intermediateSize] and, where
// attention is cut, `layers.l.attention.query_threshold` and `layers.l.attention.output_threshold`
// ([1] or one a channel); what they were solved for and from is in `__metadata__`. In all layers or in
// none there may be `layers.l.ffn.source` U8 [intermediateSize], `layers.l.ffn.product_threshold`
// ([1] or [intermediateSize]), `layers.l.ffn.input_threshold` ([1] or [hiddenSize]) and `layers.l.ffn.bias`
// [hiddenSize]. Methods that cut inputs, and no others, have `layers.l.ffn.other_input_threshold` and, where attention
// is cut, `layers.l.attention.{key,value}_threshold` (each [1] or [hiddenSize]). Methods that grade weights, and no
// others, have `layers.l.ffn.full_threshold` [intermediateSize] and, where attention is graded, all four
// `layers.l.attention.*_threshold` and as many `layers.l.attention.*_full_threshold` (one a channel). Theirs alone, too, are
// `weights` in the metadata, the format in planes, and `head_margin` in the metadata, where the output head is read on demand, with the tensor `head.offset` [vocabularySize],
// and in all layers or in none `layers.l.ffn.{gate,up}_offset` [intermediateSize].
extension Thresholds {
  static let format = "gambit-thresholds"
  static let version = "1"
  private static let headOffset = "head.offset"
  private static let allocationText = "allocation_measured_on"
  private static let headText = "head_measured_on"

  /// The bytes of a safetensors file. The same thresholds always give the same bytes.
  public func encoded() throws(SafetensorsError) -> [UInt8] {
    var tensors: [SafetensorsTensor] = []
    for (index, layer) in layers.enumerated() {
      for (name, values) in [
        (Name.ffn, layer.ffn), (Name.product, layer.product), (Name.input, layer.input), (Name.bias, layer.bias),
        (Name.otherInput, layer.otherInput), (Name.query, layer.query), (Name.key, layer.key),
        (Name.value, layer.value), (Name.output, layer.output), (Name.fullFFN, layer.full?.ffn),
        (Name.fullQuery, layer.full?.query), (Name.fullKey, layer.full?.key), (Name.fullValue, layer.full?.value),
        (Name.fullOutput, layer.full?.output), (Name.gateOffset, layer.offsets?.gate),
        (Name.upOffset, layer.offsets?.up),
      ] {
        guard let values else { continue }
        tensors.append(SafetensorsTensor(name: name.tensor(index), shape: [values.count], values: values))
      }
      if let upDecides = layer.upDecides {
        tensors.append(
          SafetensorsTensor(
            name: Name.source.tensor(index), shape: [upDecides.count], values: upDecides.map { $0 ? 1 : 0 as UInt8 }))
      }
    }
    if let headOffsets {
      tensors.append(SafetensorsTensor(name: Self.headOffset, shape: [headOffsets.count], values: headOffsets))
    }
    return try SafetensorsWriter.encode(tensors, metadata: metadata)
  }

  private var metadata: [String: String] {
    var metadata = [
      "format": Self.format, "version": Self.version,
      "method": request.method.rawValue, "sparsity": String(request.sparsity),
      "attention": request.attention ? "on" : "off", "layers": String(layers.count),
      "model_sha256": modelHash, "corpus_sha256": corpusHash, "statistics_sha256": statisticsHash,
    ]
    metadata["weights"] = planes?.rawValue
    metadata["norm"] = request.norm?.rawValue
    metadata["source"] = request.source?.rawValue
    metadata["source_share"] = request.sourceShare.map { String($0) }
    metadata["second_cut"] = request.secondCut.map { String($0) }
    metadata["input_cut"] = request.inputCut.map { String($0) }
    metadata["allocation"] = request.allocation?.rawValue
    metadata["head_margin"] = headMargin.map { String($0) }
    for (name, probed) in [(Self.allocationText, allocationMeasuredOn), (Self.headText, headMeasuredOn)] {
      metadata[name] = probed?.text
      metadata[name + "_tokens"] = probed.map { String($0.tokens) }
    }
    metadata["realised_full_head"] = realised.fullHead.map { String($0) }
    for place in Place.allCases {
      metadata["realised_\(place.rawValue)"] = realised[place].map { String($0) }
      metadata["realised_full_\(place.rawValue)"] = realised.full?[place].map { String($0) }
    }
    return metadata
  }

  /// Reads what ``encoded()`` wrote.
  ///
  /// - Throws: `CheckpointError` where tensors are missing, ``SolverError`` where they or the metadata
  ///   are not what they should be: a threshold is never negative and always a number; infinity drops
  ///   a channel for good. A bias is finite.
  public init(_ file: SafetensorsFile) throws {
    let metadata = file.header.metadata
    func text(_ key: String) throws -> String {
      guard let value = metadata[key] else {
        throw SolverError.malformed("'\(file.path)' has no '\(key)' in its metadata")
      }
      return value
    }
    func share(_ key: String) throws -> Double {
      guard let value = Double(try text(key)), value >= 0, value <= 1 else {
        throw SolverError.malformed("'\(key)' in the metadata of '\(file.path)' is no number from 0 to 1")
      }
      return value
    }
    guard try text("format") == Self.format, try text("version") == Self.version else {
      throw SolverError.malformed("'\(file.path)' has another format or version")
    }
    guard let method = SolverRequest.Method(rawValue: try text("method")),
      ["on", "off"].contains(try text("attention")),
      let count = Int(try text("layers")), count > 0, count <= file.header.tensors.count
    else { throw SolverError.malformed("'\(file.path)' has an unknown method, attention or number of layers") }
    let attention = try text("attention") == "on"
    planes = metadata["weights"].flatMap(PlaneFormat.init)
    guard (planes != nil) == method.gradesWeights, planes != nil || metadata["weights"] == nil else {
      throw SolverError.malformed(
        "'\(file.path)' has an unknown format of weights in planes, or none that its method needs")
    }
    let norm = metadata["norm"].flatMap(CHESS.Norm.init)
    guard norm != nil || metadata["norm"] == nil, norm != nil || method != .chess else {
      throw SolverError.malformed("'\(file.path)' has an unknown norm, or none that its method needs")
    }
    let source = metadata["source"].flatMap(MaskSource.init) ?? method.sources.first.map { _ in .gate }
    guard metadata["source"].map({ $0 == source?.rawValue }) ?? true else {
      throw SolverError.malformed("'\(file.path)' has an unknown source")
    }
    let allocation = metadata["allocation"].flatMap(Allocation.init)
    // The uniform one is not written, and without attention the global one is it.
    guard allocation != .uniform, allocation != nil || metadata["allocation"] == nil, allocation != .global || attention
    else { throw SolverError.malformed("'\(file.path)' has an unknown allocation, or one without attention") }
    func optionalShare(_ key: String) throws -> Double? { metadata[key] == nil ? nil : try share(key) }
    headMargin = try metadata["head_margin"].map { text in
      guard method.gradesWeights, let margin = Float(text), margin.isFinite, margin >= 0 else {
        throw SolverError.malformed(
          "'head_margin' in the metadata of '\(file.path)' is no finite number from 0, or its method has none")
      }
      return margin
    }
    request = try SolverRequest(
      method: method, norm: norm, source: source, sourceShare: optionalShare("source_share"),
      secondCut: optionalShare("second_cut") ?? 0, inputCut: optionalShare("input_cut") ?? 0, attention: attention,
      allocation: allocation, head: headMargin != nil, sparsity: share("sparsity"))
    realised = Shares(
      ffn: try share("realised_ffn"), down: try optionalShare("realised_down"),
      input: try optionalShare("realised_input"), otherInput: try optionalShare("realised_other_input"),
      query: attention ? try share("realised_query") : nil, key: try optionalShare("realised_key"),
      value: try optionalShare("realised_value"),
      output: attention ? try share("realised_output") : nil,
      full: method.gradesWeights
        ? GradedPlaces(
          ffn: try share("realised_full_ffn"), query: try optionalShare("realised_full_query"),
          key: try optionalShare("realised_full_key"), value: try optionalShare("realised_full_value"),
          output: try optionalShare("realised_full_output")) : nil,
      fullHead: headMargin == nil ? nil : try share("realised_full_head"))
    modelHash = try text("model_sha256")
    corpusHash = try text("corpus_sha256")
    statisticsHash = try text("statistics_sha256")
    func probed(_ name: String, isMeasured: Bool) throws -> ProbedText? {
      guard let text = metadata[name] else {
        guard metadata[name + "_tokens"] == nil else {
          throw SolverError.malformed("'\(file.path)' has '\(name)_tokens' of no text")
        }
        return nil
      }
      guard isMeasured, let tokens = metadata[name + "_tokens"].flatMap({ Int($0) }), tokens > 0 else {
        throw SolverError.malformed(
          "'\(name)' in the metadata of '\(file.path)' has no number of tokens, or nothing was measured on it")
      }
      return ProbedText(text: text, tokens: tokens)
    }
    allocationMeasuredOn = try probed(Self.allocationText, isMeasured: allocation != nil)
    headMeasuredOn = try probed(Self.headText, isMeasured: headMargin != nil)

    // The first layer says which of the optional parts there are.
    func isPresent(_ name: Name) -> Bool { file.header.tensor(named: name.tensor(0)) != nil }
    let parts = Name.optional.filter(isPresent)
    guard parts.filter(Name.ofSomeMethods.contains) == Name.parts(of: method, attention: attention),
      !method.cutsInputs || (parts.contains(.input) && parts.contains(.product)),
      parts.contains(.gateOffset) == parts.contains(.upOffset), method.gradesWeights || !parts.contains(.gateOffset)
    else { throw SolverError.malformed("'\(file.path)' has not the tensors of its method '\(method.rawValue)'") }
    layers = try (0..<count).map { layer in
      func values(_ name: Name, where isAllowed: (Float) -> Bool = { $0 >= 0 }) throws -> [Float] {
        let values = try file.values(of: name.tensor(layer))
        guard !values.isEmpty, values.allSatisfy(isAllowed) else {
          throw SolverError.malformed(
            "'\(name.tensor(layer))' in '\(file.path)' has values that are negative or no numbers")
        }
        return values
      }
      return Layer(
        ffn: try values(.ffn), query: attention ? try values(.query) : nil,
        key: parts.contains(.key) ? try values(.key) : nil,
        value: parts.contains(.value) ? try values(.value) : nil,
        output: attention ? try values(.output) : nil,
        upDecides: parts.contains(.source) ? try Self.flags(file, Name.source.tensor(layer)) : nil,
        product: parts.contains(.product) ? try values(.product) : nil,
        input: parts.contains(.input) ? try values(.input) : nil,
        otherInput: parts.contains(.otherInput) ? try values(.otherInput) : nil,
        bias: parts.contains(.bias) ? try values(.bias, where: \.isFinite) : nil,
        full: !method.gradesWeights
          ? nil
          : GradedPlaces(
            ffn: try values(.fullFFN), query: attention ? try values(.fullQuery) : nil,
            key: attention ? try values(.fullKey) : nil, value: attention ? try values(.fullValue) : nil,
            output: attention ? try values(.fullOutput) : nil),
        offsets: parts.contains(.gateOffset)
          ? PlaneOffsets(
            gate: try values(.gateOffset, where: \.isFinite), up: try values(.upOffset, where: \.isFinite)) : nil)
    }
    headOffsets =
      try headMargin == nil || file.header.tensor(named: Self.headOffset) == nil
      ? nil : file.values(of: Self.headOffset)
    guard headOffsets?.allSatisfy(\.isFinite) ?? true else {
      throw SolverError.malformed("'\(Self.headOffset)' in '\(file.path)' has values that are no numbers")
    }
    let others = headOffsets == nil ? 0 : 1
    guard file.header.tensors.count == count * ((attention ? 3 : 1) + parts.count) + others else {
      throw SolverError.malformed("'\(file.path)' has tensors beyond those of its \(count) layers")
    }
  }

  private static func flags(_ file: SafetensorsFile, _ name: String) throws -> [Bool] {
    guard file.header.tensor(named: name)?.type == .u8, let bytes = file.withBytes(of: name, { Array($0) }),
      bytes.allSatisfy({ $0 <= 1 })
    else { throw SolverError.malformed("'\(name)' in '\(file.path)' is missing, or not zeros and ones") }
    return bytes.map { $0 == 1 }
  }

  /// Checks that there is a threshold for every channel of a model, and of the optional parts all or none.
  ///
  /// - Throws: ``SolverError/malformed(_:)`` that names the first layer whose number differs.
  public func check(_ c: ModelConfiguration) throws(SolverError) {
    guard layers.count == c.layerCount else {
      throw .malformed("they are for \(layers.count) layers, but the model has \(c.layerCount)")
    }
    guard headMargin.map({ request.method.gradesWeights && $0.isFinite && $0 >= 0 }) ?? true else {
      throw .malformed("their margin of the output head is no finite number from 0, or their method has none")
    }
    guard headOffsets.map({ $0.count == c.vocabularySize && $0.allSatisfy(\.isFinite) && headMargin != nil }) ?? true
    else { throw .malformed("they have not one offset for each of the output head's rows, or no margin of it") }
    for (index, layer) in layers.enumerated() {
      let fits =
        layer.ffn.count == c.intermediateSize && [1, c.hiddenSize].contains(layer.query?.count ?? 1)
        && [1, c.queryWidth].contains(layer.output?.count ?? 1)
        && [1, c.intermediateSize].contains(layer.product?.count ?? 1)
        && [layer.input, layer.otherInput, layer.key, layer.value]
          .allSatisfy { [1, c.hiddenSize].contains($0?.count ?? 1) }
        && layer.upDecides?.count ?? c.intermediateSize == c.intermediateSize
        && layer.bias?.count ?? c.hiddenSize == c.hiddenSize
        && layer.offsets.map { $0.isUsable(channels: c.intermediateSize) && layer.full != nil } ?? true
        && (layer.full.map { full in
          full.ffn.count == c.intermediateSize && full.output?.count ?? c.queryWidth == c.queryWidth
            && [full.query, full.key, full.value].allSatisfy { $0?.count ?? c.hiddenSize == c.hiddenSize }
            && Place.allCases.allSatisfy { place in
              layer[place]?.count == full[place]?.count
                && zip(layer[place] ?? [], full[place] ?? []).allSatisfy { $0 <= $1 }
            }
        } ?? true)
      guard fits else { throw .malformed("layer \(index) has not one threshold for each of the model's channels") }
      guard layer.parts == layers[0].parts else { throw .malformed("layer \(index) has other parts than the first") }
    }
  }

  private enum Name: String {
    case ffn = "ffn.threshold"
    case source = "ffn.source"
    case product = "ffn.product_threshold"
    case input = "ffn.input_threshold"
    case otherInput = "ffn.other_input_threshold"
    case bias = "ffn.bias"
    case query = "attention.query_threshold"
    case key = "attention.key_threshold"
    case value = "attention.value_threshold"
    case output = "attention.output_threshold"
    case fullFFN = "ffn.full_threshold"
    case fullQuery = "attention.query_full_threshold"
    case fullKey = "attention.key_full_threshold"
    case fullValue = "attention.value_full_threshold"
    case fullOutput = "attention.output_full_threshold"
    case gateOffset = "ffn.gate_offset"
    case upOffset = "ffn.up_offset"

    /// What there is in all layers or in none.
    static let optional: [Name] = [.source, .product, .input, .bias, .gateOffset, .upOffset] + ofSomeMethods
    /// Of these, what the method decides on.
    static let ofSomeMethods: [Name] = [
      .otherInput, .key, .value, .fullFFN, .fullQuery, .fullKey, .fullValue, .fullOutput,
    ]

    static func parts(of method: SolverRequest.Method, attention: Bool) -> [Name] {
      if method.cutsInputs { return attention ? [.otherInput, .key, .value] : [.otherInput] }
      guard method.gradesWeights else { return [] }
      return attention ? [.key, .value, .fullFFN, .fullQuery, .fullKey, .fullValue, .fullOutput] : [.fullFFN]
    }

    func tensor(_ layer: Int) -> String { "layers.\(layer).\(rawValue)" }
  }
}

extension Thresholds.Layer {
  /// Which of the optional parts there are.
  fileprivate var parts: [Bool] {
    Thresholds.Place.allCases.flatMap { [self[$0] != nil, full?[$0] != nil] } + [
      upDecides != nil, bias != nil, offsets != nil,
    ]
  }
}
