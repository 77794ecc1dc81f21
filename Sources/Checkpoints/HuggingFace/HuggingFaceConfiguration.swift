import Files
import Foundation

/// The keys of `config.json` that matter here, as `transformers` 4 and 5 write them.
struct HuggingFaceConfiguration: Decodable {
  var modelType: String
  var hiddenSize: Int
  var intermediateSize: Int
  var numHiddenLayers: Int
  var numAttentionHeads: Int
  var numKeyValueHeads: Int?
  var headDim: Int?
  var vocabSize: Int
  var maxPositionEmbeddings: Int?
  var rmsNormEps: Double?
  var ropeTheta: Double?
  var ropeScaling: Rope?
  var ropeParameters: RopeParameters?
  /// Gemma's base of the layers with a window.
  var ropeLocalBaseFreq: Double?
  var hiddenAct: String?
  /// Gemma's name of `hidden_act`.
  var hiddenActivation: String?
  var tieWordEmbeddings: Bool?
  var attentionBias: Bool?
  var mlpBias: Bool?
  var slidingWindow: Int?
  var useSlidingWindow: Bool?
  var maxWindowLayers: Int?
  var layerTypes: [String]?
  /// One in so many layers looks back without limit, where `layer_types` does not list them.
  var slidingWindowPattern: Int?
  var queryPreAttnScalar: Double?
  var attnLogitSoftcapping: Double?
  var finalLogitSoftcapping: Double?
  var useBidirectionalAttention: Bool?
  /// Our own key: divisors of the rotary frequencies that no published scaling explains.
  var gambitRopeFrequencyDivisors: [Float]?

  /// `rope_scaling`, or since version 5 `rope_parameters`, which has the base too.
  struct Rope: Decodable {
    var ropeType: String?
    /// The older name of `rope_type`.
    var type: String?
    var ropeTheta: Double?
    var factor: Double?
    var lowFreqFactor: Double?
    var highFreqFactor: Double?
    var originalMaxPositionEmbeddings: Double?
    var partialRotaryFactor: Double?
  }

  /// `rope_parameters`: one for all layers, or since version 5 one for each type of layer.
  struct RopeParameters: Decodable {
    var all: Rope
    var fullAttention: Rope?
    var slidingAttention: Rope?

    private enum CodingKeys: CodingKey {
      case fullAttention, slidingAttention
    }

    init(from decoder: any Decoder) throws {
      let layers = try decoder.container(keyedBy: CodingKeys.self)
      fullAttention = try layers.decodeIfPresent(Rope.self, forKey: .fullAttention)
      slidingAttention = try layers.decodeIfPresent(Rope.self, forKey: .slidingAttention)
      all = try fullAttention ?? Rope(from: decoder)
    }
  }

  /// - Throws: ``CheckpointError`` where the file cannot be read or a key is missing or of the wrong type.
  init(path: String) throws(CheckpointError) {
    self = try decodeJSON(Self.self, path: path)
  }
}

/// Decodes a small JSON file whose keys are in `snake_case`.
func decodeJSON<T: Decodable>(_ type: T.Type, path: String) throws(CheckpointError) -> T {
  let bytes = try readWhole(path)
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  do {
    return try decoder.decode(type, from: bytes)
  } catch DecodingError.keyNotFound(let key, _) {
    throw .missing(path: path, item: "the key '\(snakeCase(key))'")
  } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
    let key = context.codingPath.map(snakeCase).joined(separator: ".")
    throw .malformed(path: path, problem: "the value of '\(key)' has the wrong type")
  } catch {
    throw .malformed(path: path, problem: "it is not valid JSON")
  }
}

/// The key as it stands in the file: the decoder reports it converted.
private func snakeCase(_ key: any CodingKey) -> String {
  key.stringValue.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
}

/// All bytes of a small file.
func readWhole(_ path: String) throws(CheckpointError) -> Data {
  let file = try wrappingFileErrors { () throws(FileError) in try MappedFile(path: path) }
  return withExtendedLifetime(file) { Data(file.bytes) }
}
