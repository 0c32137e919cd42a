using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Jobs;
using Holdfast.Server.Rest;
using Microsoft.AspNetCore.Http;

namespace Holdfast.Tests.Rest;

/// <summary>A body that is wrong is refused with a sentence that says where and what.</summary>
public sealed class RestBodyTests
{
    [Fact]
    public async Task A_good_body_is_read()
    {
        JobRequest request = await ReadAsync("""{"argv":["sh","-c","echo"],"timeoutSeconds":1.5,"labels":{"a":"b"}}""");
        Assert.Equal(["sh", "-c", "echo"], request.Argv!);
        Assert.Equal(1.5, request.TimeoutSeconds);
        Assert.Equal("b", request.Labels!["a"]);
    }

    [Theory]
    [InlineData("{\n\"argv\": [,]}", "line 2, byte 10")]
    [InlineData("{\"argv\":[\"x\"]} trailing", "line 1, byte 16")]
    [InlineData("", "line 1, byte 1")]
    [InlineData("{argv:[x]}", "line 1, byte 2")]
    public async Task What_is_no_JSON_is_refused_with_its_place(string body, string place)
    {
        RefusedException refusal = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(body));
        Assert.Equal(ErrorCodes.InvalidJson, refusal.Code);
        Assert.Contains(place, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """{"argv":["x"],"timeoutSecond":3}""",
        "The field 'timeoutSecond' is not known to this version; known are: argv, cwd, env,"
    )]
    [InlineData("""{"argv":["x"],"time out":3}""", "The field 'time out' is not known")]
    [InlineData("""{"argv":"x"}""", "The field 'argv' is not of the right kind.")]
    [InlineData("""{"argv":["x",7]}""", "The field 'argv[1]' is not of the right kind.")]
    [InlineData("""{"argv":["x"],"env":{"A":1}}""", "The field 'env.A' is not of the right kind.")]
    [InlineData("""{"argv":["\ud800"]}""", "The field 'argv[0]' is not of the right kind.")]
    [InlineData("null", "The body is null; an object is needed.")]
    [InlineData("""["x"]""", "The body is JSON, but not an object.")]
    [InlineData("7", "The body is JSON, but not an object.")]
    public async Task What_has_another_shape_is_refused_by_the_field(string body, string sentence)
    {
        RefusedException refusal = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(body));
        Assert.Equal(ErrorCodes.InvalidRequest, refusal.Code);
        Assert.StartsWith(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"argv":[null]}""", "argv must name a command")]
    [InlineData("""{"argv":["x",null]}""", "argv has a null")]
    [InlineData("""{"argv":["x"],"env":{"A":null}}""", "env has a null")]
    [InlineData("""{"argv":["x"],"labels":{"A":null}}""", "labels has 'A'")]
    public async Task A_null_where_a_string_belongs_is_refused_and_no_mistake_of_the_server(string body, string sentence)
    {
        JobRequest request = await ReadAsync(body);
        RefusedException refusal = Assert.Throws<RefusedException>(() => JobRequestCheck.ThrowIfInvalid(request, null));
        Assert.Equal(ErrorCodes.InvalidRequest, refusal.Code);
        Assert.StartsWith(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_up_to_the_bound_are_taken_as_they_are()
    {
        byte[] bytes = [0, 255, 10, 13];
        Assert.Equal(bytes, await RestBody.ReadBytesAsync(With(bytes), bytes.Length, "too large"));
        RefusedException refusal = await Assert.ThrowsAsync<RefusedException>(() =>
            RestBody.ReadBytesAsync(With(bytes), bytes.Length - 1, "too large")
        );
        Assert.Equal((ErrorCodes.BodyTooLarge, "too large"), (refusal.Code, refusal.Message));
    }

    private static Task<JobRequest> ReadAsync(string body) =>
        RestBody.ReadJsonAsync(With(Encoding.UTF8.GetBytes(body)), RestJson.Default.JobRequest);

    private static DefaultHttpContext With(byte[] body)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(body);
        return context;
    }
}
