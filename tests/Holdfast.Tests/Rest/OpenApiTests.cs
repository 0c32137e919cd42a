using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Server.Hosting;
using Holdfast.Server.Rest;
using Holdfast.Tests.Tidy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Holdfast.Tests.Rest;

/// <summary>The description that the server gives of its REST door is the door as it is.</summary>
public sealed class OpenApiTests
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    private static readonly JsonObject Document = Read();

    private static readonly HashSet<string> Codes =
    [
        .. typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!),
    ];

    [Fact]
    public void Every_route_is_described() =>
        Repository.ExpectNone(Mapped().Except(Described()), "Routes that openapi.json does not have:");

    [Fact]
    public void Every_description_has_its_route() =>
        Repository.ExpectNone(Described().Except(Mapped()), "Routes of openapi.json that are not mapped:");

    [Fact]
    public void Every_operation_has_a_name_of_its_own() =>
        Assert.Empty(
            Operations().GroupBy(o => (string?)o.Operation["operationId"]).Where(g => g.Key is null || g.Count() > 1).Select(g => g.Key)
        );

    [Fact]
    public void Every_code_exists() =>
        Repository.ExpectNone(
            Objects(Document)
                .SelectMany(o => Texts(o["x-codes"]))
                .Concat(Texts(Document["components"]!["schemas"]!["ErrorCode"]!["enum"]))
                .Distinct()
                .Except(Codes),
            "Codes that nothing gives:"
        );

    [Fact]
    public void Every_code_stands_under_the_status_that_it_is_answered_with() =>
        Repository.ExpectNone(
            from operation in Operations()
            from response in operation.Operation["responses"]!.AsObject()
            from code in Texts(Resolve(response.Value!)["x-codes"])
            where Problem.StatusOf(code).ToString(CultureInfo.InvariantCulture) != response.Key
            select $"{operation.Name} {response.Key}: {code} is {Problem.StatusOf(code)}",
            "A code under another status:"
        );

    [Fact]
    public void Every_code_of_an_answer_is_in_the_list_of_codes() =>
        Repository.ExpectNone(
            Objects(Document).SelectMany(o => Texts(o["x-codes"])).Except(Texts(Document["components"]!["schemas"]!["ErrorCode"]!["enum"])),
            "Codes that the schema leaves out:"
        );

    [Fact]
    public void Every_reference_resolves() =>
        Repository.ExpectNone(
            Objects(Document).Select(o => (string?)o["$ref"]).OfType<string>().Distinct().Where(r => Find(r) is null),
            "References that lead nowhere:"
        );

    [Fact]
    public void Every_path_parameter_is_described() =>
        Repository.ExpectNone(
            from operation in Operations()
            let declared = Parameters(operation.Item)
                .Concat(Parameters(operation.Operation))
                .Where(p => (string?)p["in"] == "path")
                .Select(p => (string?)p["name"])
            from segment in operation.Name.Split('/').Where(s => s.StartsWith('{'))
            where !declared.Contains(segment.Trim('{', '}'))
            select $"{operation.Name}: {segment}",
            "Path parameters without a description:"
        );

    [Theory]
    [InlineData("JobRequest")]
    [InlineData("RunNotebookRequest")]
    [InlineData("StartKernelRequest")]
    [InlineData("ResizeRequest")]
    [InlineData("CascadeRequest")]
    public void A_request_has_the_fields_that_are_read(string schema)
    {
        JsonTypeInfo type = schema switch
        {
            "JobRequest" => RestJson.Default.JobRequest,
            "RunNotebookRequest" => RestJson.Default.RunNotebookBody,
            "ResizeRequest" => RestJson.Default.ResizeBody,
            "CascadeRequest" => RestJson.Default.CascadeBody,
            _ => RestJson.Default.StartKernelBody,
        };
        Assert.Equal(type.Properties.Select(p => p.Name).Order(), Properties(schema).Order());
    }

    [Fact]
    public void States_are_those_of_the_engine() =>
        Assert.Equal(ExecutionStates.All, Texts(Document["components"]!["schemas"]!["ExecutionState"]!["enum"]));

    [Theory]
    [InlineData("Execution", "execution.json")]
    [InlineData("Execution", "execution-cell.json")]
    [InlineData("Run", "run.json")]
    [InlineData("Token", "token.json")]
    [InlineData("Kernel", "kernel.json")]
    [InlineData("RecoveryReport", "recovery.json")]
    [InlineData("Problem", "problem.json")]
    public void An_answer_has_the_fields_that_are_described(string schema, string golden)
    {
        string[] written = [.. JsonNode.Parse(GoldenRest.Read(golden))!.AsObject().Select(p => p.Key)];
        Assert.Empty(written.Except(Properties(schema)));
        Assert.Empty(Texts(Document["components"]!["schemas"]![schema]!["required"]).Except(written));
    }

    [Theory]
    [InlineData("QueuedJob", "Execution")]
    [InlineData("SucceededJob", "Execution")]
    [InlineData("Run", "Run")]
    [InlineData("Kernel", "Kernel")]
    [InlineData("RecoveryReport", "RecoveryReport")]
    [InlineData("InvalidRequest", "Problem")]
    [InlineData("Recovering", "Problem")]
    public void An_example_has_every_field_of_its_schema(string example, string schema)
    {
        string[] shown = [.. Document["components"]!["examples"]![example]!["value"]!.AsObject().Select(p => p.Key)];
        Assert.Empty(Texts(Document["components"]!["schemas"]![schema]!["required"]).Except(shown));
        Assert.Empty(shown.Except(Properties(schema)));
    }

    private static IEnumerable<string> Mapped()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore(); // Building asks for a server; it is never started.
        builder.Services.AddRoutingCore();
        using var app = (IDisposable)builder.Build();
        var routes = (IEndpointRouteBuilder)app;
        RestDoor.Map(routes, new EngineDoor());
        return
        [
            .. from source in routes.DataSources
            from endpoint in source.Endpoints.OfType<RouteEndpoint>()
            from method in endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods
            select $"{method} {endpoint.RoutePattern.RawText}",
        ];
    }

    private static IEnumerable<string> Described() => Operations().Select(o => o.Name);

    private static IEnumerable<(string Name, JsonObject Item, JsonObject Operation)> Operations() =>
        from path in Document["paths"]!.AsObject()
        from entry in path.Value!.AsObject()
        where Methods.Contains(entry.Key)
        select ($"{entry.Key.ToUpperInvariant()} {path.Key}", path.Value!.AsObject(), entry.Value!.AsObject());

    private static IEnumerable<JsonObject> Parameters(JsonObject owner) =>
        (owner["parameters"] as JsonArray ?? []).Select(p => Resolve(p!));

    private static IEnumerable<string> Properties(string schema) =>
        Document["components"]!["schemas"]![schema]!["properties"]!.AsObject().Select(p => p.Key);

    private static JsonObject Resolve(JsonNode node) =>
        (string?)node["$ref"] is { } reference ? Find(reference)!.AsObject() : node.AsObject();

    private static JsonNode? Find(string reference) =>
        reference.Split('/').Skip(1).Aggregate((JsonNode?)Document, (node, name) => node?[name]);

    private static IEnumerable<string> Texts(JsonNode? array) => (array as JsonArray ?? []).Select(t => (string)t!);

    private static IEnumerable<JsonObject> Objects(JsonNode? node) =>
        node switch
        {
            JsonObject o => o.SelectMany(p => Objects(p.Value)).Prepend(o),
            JsonArray a => a.SelectMany(Objects),
            _ => [],
        };

    /// <summary>As the server serves it: from the assembly.</summary>
    private static JsonObject Read()
    {
        using Stream stream = typeof(RestDoor).Assembly.GetManifestResourceStream("openapi.json")!;
        return JsonNode.Parse(stream, null, new JsonDocumentOptions { AllowDuplicateProperties = false })!.AsObject();
    }
}
