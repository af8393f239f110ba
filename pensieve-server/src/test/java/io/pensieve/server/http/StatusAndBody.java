package io.pensieve.server.http;

import java.net.http.HttpResponse;

/** What a GET was answered. */
record StatusAndBody(int status, String body) {
  static StatusAndBody of(ServerUnderTest server, String path) throws Exception {
    HttpResponse<String> answer = server.send(server.request(path));
    return new StatusAndBody(answer.statusCode(), answer.body());
  }

  String code() {
    return ServerUnderTest.code(body);
  }
}
