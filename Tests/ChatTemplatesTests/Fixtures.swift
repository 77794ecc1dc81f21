import Foundation
import Testing

@testable import ChatTemplates

/// What `Fixtures/make_fixtures.py` wrote.
struct Fixtures: Decodable {
  struct Rendering: Decodable, Sendable {
    var template: String
    var context: String
    /// Nil where jinja2 raises.
    var text: String?
  }

  struct Snippet: Decodable, Sendable {
    var source: String
    var text: String?
  }

  var contexts: [String: TaggedValue]
  var templates: [Rendering]
  var snippets: [Snippet]

  static func read() throws -> Fixtures {
    try JSONDecoder().decode(Fixtures.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
  }

  static func template(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appending(path: "templates/\(name)")), as: UTF8.self)
  }

  private static var folder: URL {
    get throws { try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)) }
  }

  func variables(_ context: String) throws -> [String: Value] {
    guard case .dictionary(let mapping) = try #require(contexts[context]).value else { return [:] }
    var variables: [String: Value] = [:]
    for case (.string(let name), let value) in zip(mapping.keys, mapping.values) { variables[name] = value }
    return variables
  }

  /// The time that make_fixtures.py tells.
  static let clock = TemplateClock(Date(timeIntervalSince1970: 1_720_256_707), in: .gmt)
}

/// A value whose type and order are written out.
struct TaggedValue: Decodable {
  var value: Value

  private enum Tag: CodingKey {
    case integer, number, list, dictionary
  }

  init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Tag.self) {
      if let integer = try container.decodeIfPresent(Int.self, forKey: .integer) {
        value = .integer(integer)
      } else if let number = try container.decodeIfPresent(Double.self, forKey: .number) {
        value = .number(number)
      } else if let items = try container.decodeIfPresent([TaggedValue].self, forKey: .list) {
        value = .sequence(List(items.map(\.value), .list))
      } else {
        let members = try container.decode([Member].self, forKey: .dictionary)
        value = .dictionary(Mapping(named: members.map { ($0.name, $0.value.value) }))
      }
    } else {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        value = .none
      } else if let flag = try? container.decode(Bool.self) {
        value = .boolean(flag)
      } else {
        value = .string(try container.decode(String.self))
      }
    }
  }

  private struct Member: Decodable {
    var name: String
    var value: TaggedValue

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      name = try container.decode(String.self)
      value = try container.decode(TaggedValue.self)
    }
  }
}
